"""What a pickle may make beside plain values: arrays, numbers of NumPy, and stand-ins.

A pickle names functions and classes to call, which may be any. Here a name stands for an entry of
a short list; nothing is imported, and no class of NumPy or of gensim is called. Whatever is made
is at most as large as the bytes that were given for it.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

# Kinds of numbers and texts, with their size: f4, i8, U7.
_CODE = re.compile(r"[biufcSU][0-9]{1,9}")
# Ints from here on may have the hash of another, and a dictionary of many such takes for ever.
_LARGEST_KEY = 2**61 - 1


class Attributes:
    """Stands in for an object of a class that is not loaded: its attributes."""

    def set_state(self, state: Any) -> None:
        """Take what the pickle says of the object; a pair has the attributes of slots, too."""
        parts = state if isinstance(state, tuple) and len(state) == 2 else (state,)
        for part in parts:
            if isinstance(part, dict):
                for name, value in part.items():
                    self.__dict__[str(name)] = value.value if isinstance(value, Array) else value


class Dtype:
    """The type of an array's numbers, while it is put together."""

    def __init__(self, code: Any, *_: Any) -> None:
        if not isinstance(code, str):
            raise ValueError("a type of numbers that is not known")
        self._known = _CODE.fullmatch(code) is not None
        self._code, self._order = code, "="

    def set_state(self, state: Any) -> None:
        """Take the order of bytes: ``(version, order, ...)``."""
        _, order, *_ = state
        if order not in ("<", ">", "=", "|"):
            raise ValueError("an order of bytes that is not known")
        self._order = order

    @property
    def value(self) -> np.dtype[Any] | None:
        """The type; None for Python's objects and records, which are not needed."""
        return np.dtype(self._code).newbyteorder(self._order) if self._known else None  # type: ignore[arg-type]


class Array:
    """An array, which a pickle makes empty first and fills then.

    Attributes:
        value: the array; None before it is filled, and for one of Python's objects.
    """

    value: npt.NDArray[Any] | None = None

    def set_state(self, state: Any) -> None:
        """Take shape, type and numbers: ``(version, shape, dtype, is_fortran, bytes)``."""
        _, shape, dtype, is_fortran, numbers = state
        self.value = _array(numbers, dtype, shape, "F" if is_fortran else "C")


class Name:
    """A name that is known, and is never called."""


class Maker:
    """A name that is called: with the arguments that the pickle has for it."""

    def __init__(self, make: Callable[..., Any]) -> None:
        self.make = make


NDARRAY = Name()


def _array(numbers: Any, dtype: Any, shape: Any, order: Any) -> npt.NDArray[Any] | None:
    if not isinstance(dtype, Dtype) or not isinstance(shape, tuple) or order not in ("C", "F"):
        raise ValueError("an array that is not made as NumPy makes it")
    kind = dtype.value
    if kind is None:
        return None
    if not isinstance(numbers, bytes | memoryview) or any(size < 0 for size in shape):
        raise ValueError("an array that is not made as NumPy makes it")
    # Of the bytes that are there, and no other: a shape that does not fit is an error.
    array = np.frombuffer(numbers, dtype=kind).reshape(shape, order=order)
    return np.require(array, requirements=["ALIGNED"])


def _from_buffer(numbers: Any, dtype: Any, shape: Any, order: Any) -> npt.NDArray[Any] | None:
    return _array(numbers, dtype, shape, order)


def _empty_array(kind: Any, *_: Any) -> Array:
    if kind is not NDARRAY:
        raise ValueError("an array that is not made as NumPy makes it")
    return Array()


def _scalar(dtype: Any, data: Any) -> Any:
    found = _array(data, dtype, (1,), "C")
    return None if found is None else found[0]


def _encode(text: Any, encoding: Any) -> bytes:
    if encoding != "latin1" or not isinstance(text, str):
        raise ValueError("an encoding that is not known")
    return text.encode("latin1")


def _mapping(items: Any = ()) -> dict[Any, Any]:
    return {as_key(key): value for key, value in items}


def _set(items: Any = ()) -> set[Any]:
    return set(map(as_key, items))


def as_key(value: Any) -> Any:
    """``value``, if it may be a key: a text, bytes, a whole number, None.

    Raises:
        ValueError: it is none of these. Tuples of tuples take for ever to be compared.
    """
    kind = type(value)
    if kind in (str, bytes, bool, type(None)) or (
        (kind is int or isinstance(value, np.integer)) and abs(int(value)) < _LARGEST_KEY
    ):
        return value
    raise ValueError(f"a key of type {kind.__name__}")


_NUMPY = {
    ("multiarray", "_reconstruct"): Maker(_empty_array),
    ("multiarray", "scalar"): Maker(_scalar),
    ("numeric", "_frombuffer"): Maker(_from_buffer),
}
_OBJECT = Maker(lambda *_: Attributes())
_NAMES: Mapping[tuple[str, str], Name | Maker] = {
    ("numpy", "ndarray"): NDARRAY,
    ("numpy", "dtype"): Maker(Dtype),
    ("collections", "OrderedDict"): Maker(_mapping),
    ("collections", "defaultdict"): Maker(lambda *_: {}),
    ("_codecs", "encode"): Maker(_encode),
    ("builtins", "set"): Maker(_set),
    ("builtins", "frozenset"): Maker(_set),
    ("builtins", "bytes"): Maker(lambda: b""),  # only empty ones are made so, in protocol 2
    # What makes the values of a defaultdict, and the hash of gensim's models.
    **{("builtins", name): Name() for name in ("list", "dict", "int", "long", "float", "hash")},
    **{
        (f"numpy.{core}.{module}", name): made
        for core in ("core", "_core")
        for (module, name), made in _NUMPY.items()
    },
}

# Names of Python 2, which protocol 2 has.
_OLD_MODULES = {"__builtin__": "builtins"}


def named(module: str, name: str) -> Name | Maker:
    """What a name stands for.

    Raises:
        ValueError: it is not on the list.
    """
    module = _OLD_MODULES.get(module, module)
    found = _NAMES.get((module, name))
    if found is not None:
        return found
    # Models keep a generator of random numbers.
    if module.split(".")[0] == "gensim" or module.startswith("numpy.random."):
        return _OBJECT
    raise ValueError(f"it asks for {module}.{name}, which is not allowed")
