"""Unpickling arrays and plain values, and nothing else.

A pickle names functions and classes to call, which may be any. Here a name is looked up in a
short list: NumPy's arrays and numbers, containers, and stand-ins for gensim's classes, which
only keep the attributes that they are given. Any other name is an error.
"""

import io
import pickle
from collections import OrderedDict, defaultdict
from typing import Any

import numpy as np

from rowwise.errors import DataFileError


class Attributes:
    """Stands in for an object of a class that is not loaded: its attributes."""

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        if isinstance(state, tuple) and len(state) == 2:
            state = {**(state[0] or {}), **(state[1] or {})}
        if isinstance(state, dict):
            self.__dict__.update({str(key): value for key, value in state.items()})


def _empty_array(kind: Any, shape: Any, code: Any) -> Any:
    """What a pickle of an array starts with; the numbers come after, and set the shape."""
    if kind is not np.ndarray or tuple(shape) not in ((0,), ()):
        raise pickle.UnpicklingError("an array that is not made as NumPy makes it")
    return np.empty(0, dtype=np.uint8).__class__.__new__(np.ndarray, (0,), np.uint8)


def _dtype(code: Any, *_: Any) -> np.dtype[Any]:
    if not isinstance(code, str) or len(code) > 16:
        raise pickle.UnpicklingError("a type of numbers that is not known")
    return np.dtype(code)


def _scalar(dtype: Any, data: Any = b"") -> Any:
    if not isinstance(dtype, np.dtype) or dtype.hasobject or not isinstance(data, bytes):
        raise pickle.UnpicklingError("a number that is not made as NumPy makes it")
    return np.frombuffer(data, dtype=dtype, count=1)[0]


def _from_buffer(data: Any, dtype: Any, shape: Any, order: Any) -> Any:
    if not isinstance(dtype, np.dtype) or dtype.hasobject:
        raise pickle.UnpicklingError("an array of Python objects")
    return np.frombuffer(data, dtype=dtype).reshape(shape, order=order)


def _encode(text: Any, encoding: Any) -> bytes:
    if encoding != "latin1" or not isinstance(text, str):
        raise pickle.UnpicklingError("an encoding that is not known")
    return text.encode("latin1")


_NUMPY = {
    ("multiarray", "_reconstruct"): _empty_array,
    ("multiarray", "scalar"): _scalar,
    ("numeric", "_frombuffer"): _from_buffer,
}
_ALLOWED: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): _dtype,
    ("collections", "OrderedDict"): OrderedDict,
    ("collections", "defaultdict"): defaultdict,
    ("_codecs", "encode"): _encode,
    ("builtins", "set"): set,
    ("builtins", "frozenset"): frozenset,
    ("builtins", "list"): list,
    ("builtins", "dict"): dict,
    ("builtins", "int"): int,
    ("builtins", "hash"): Attributes,  # named by models, and not needed
    **{
        (f"numpy.{core}.{module}", name): made
        for core in ("core", "_core")
        for (module, name), made in _NUMPY.items()
    },
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _ALLOWED:
            return _ALLOWED[module, name]
        if module.split(".")[0] == "gensim" or module.startswith("numpy.random."):
            return Attributes  # models keep a generator of random numbers
        raise pickle.UnpicklingError(f"it asks for {module}.{name}, which is not allowed")


def load(data: bytes, name: str) -> Any:
    """The object in a pickle; DataFileError for one that holds anything not on the list."""
    try:
        return _Unpickler(io.BytesIO(data)).load()
    except Exception as error:  # a pickle is a program, which may fail in any way
        raise DataFileError(f"{name!r} cannot be unpickled safely: {error}.") from error
