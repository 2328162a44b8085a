"""Categorical values as users have them, as arrays that hold each of them exactly."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from rowwise.errors import InvalidArgumentError
from rowwise.text.checks import is_missing, shorten

LOWEST, HIGHEST = -(1 << 63), (1 << 64) - 1
_FLOATS = (
    "Floating-point numbers cannot hold every whole number of 64 bits, and missing values make "
    "floats of them. Read the column as whole numbers (pandas: dtype 'Int64') or as strings."
)


@dataclass(frozen=True)
class RawIds:
    """Values of one kind.

    Attributes:
        values: whole numbers, int64 or uint64 ``(values,)``; or strings, Arrow's
            ``large_string``; or None, if all are missing. Anything stands for what is missing.
        missing: which are, bool ``(values,)``; None: none.
        shape: that of the array that they came in.
    """

    values: Any
    missing: NDArray[np.bool_] | None
    shape: tuple[int, ...]

    @property
    def kind(self) -> str | None:
        """ "int", "str" or None."""
        if self.values is None:
            return None
        return "int" if isinstance(self.values, np.ndarray) else "str"

    def present(self) -> Any:
        """The values that are not missing, as ``values`` has them."""
        if self.missing is None or self.values is None:
            return self.values
        kept = ~self.missing
        return self.values[kept] if self.kind == "int" else self.values.filter(pa.array(kept))


def as_raw_ids(values: Any) -> RawIds:
    """Take over values, which lose nothing on the way.

    Args:
        values: strings or whole numbers of 64 bits, signed or not, in a list or another iterable,
            an array of NumPy of any shape, or a column of pandas, polars or pyarrow. None, NaN, NA
            and empty strings are missing.

    Raises:
        InvalidArgumentError: they are something else, or of both kinds.
    """
    if isinstance(values, np.ndarray | np.generic):
        array = np.asarray(values)
        if array.dtype.kind == "O":
            return _of_list(array.ravel().tolist(), array.shape)
        return _of_numpy(array)
    if isinstance(values, pa.Array | pa.ChunkedArray):
        return _of_arrow(values)
    if hasattr(values, "to_arrow"):  # polars
        return _of_arrow(values.to_arrow())
    if type(values).__module__.partition(".")[0] == "pandas":
        return _of_arrow(pa.array(values, from_pandas=True))
    if isinstance(values, str | bytes | int) or not isinstance(values, Iterable):
        raise InvalidArgumentError(
            f"Expected several values, in a list or an array. Received: {shorten(values)}"
        )
    items = list(values)
    return _of_list(items, (len(items),))


def widest(arrays: list[NDArray[Any]]) -> Any:
    """The type, int64 or uint64, that holds all numbers of some arrays.

    Raises:
        InvalidArgumentError: there is none.
    """
    filled = [array for array in arrays if len(array)]
    lowest = min((int(array.min()) for array in filled), default=0)
    highest = max((int(array.max()) for array in filled), default=0)
    return _integer_type(lowest, highest)


def _integer_type(lowest: int, highest: int) -> Any:
    if highest < 1 << 63 and lowest >= LOWEST:
        return np.int64
    if lowest >= 0 and highest <= HIGHEST:
        return np.uint64
    raise InvalidArgumentError(
        f"Whole numbers must all fit into 64 bits, signed or unsigned. Received: {lowest} and "
        f"{highest}. Use strings."
    )


def _of_numpy(array: NDArray[Any]) -> RawIds:
    flat = array.ravel()
    if array.dtype.kind in "iu":
        wanted = np.uint64 if array.dtype == np.uint64 else np.int64
        return RawIds(flat.astype(wanted, copy=False), None, array.shape)
    if array.dtype.kind == "U":
        return _strings(pa.array(flat.tolist(), pa.large_string()), array.shape)
    raise _refusal(f"an array of dtype {array.dtype}", array.dtype.kind == "f")


def _of_arrow(column: Any) -> RawIds:
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
        if isinstance(column, pa.ChunkedArray):
            column = pa.concat_arrays(column.chunks)
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    kind, shape = column.type, (len(column),)
    if pa.types.is_null(kind):
        return RawIds(None, np.ones(len(column), dtype=np.bool_), shape)
    if pa.types.is_integer(kind):
        missing = None
        if column.null_count:
            missing = column.is_null().to_numpy(zero_copy_only=False)
            column = column.fill_null(0)
        numbers = column.to_numpy(zero_copy_only=False)
        wanted = np.uint64 if kind == pa.uint64() else np.int64
        return RawIds(numbers.astype(wanted, copy=False), missing, shape)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or kind == pa.string_view():
        return _strings(column.cast(pa.large_string()), shape)
    raise _refusal(f"a column of {kind}", pa.types.is_floating(kind))


def _strings(strings: Any, shape: tuple[int, ...]) -> RawIds:
    strings = strings.fill_null("")
    missing = pc.equal(strings, "").to_numpy(zero_copy_only=False)
    return RawIds(strings, missing if missing.any() else None, shape)


def _of_list(items: list[Any], shape: tuple[int, ...]) -> RawIds:
    kinds = set(map(type, items))
    if kinds == {str}:
        return _of_strings(items, shape)
    missing = None
    if any(kind is not int and not issubclass(kind, str | np.integer) for kind in kinds):
        missing = np.fromiter(map(is_missing, items), np.bool_, len(items))
        present = [item for item, is_gone in zip(items, missing, strict=True) if not is_gone]
    else:
        present = items
    if not present:
        return RawIds(None, np.ones(len(items), dtype=np.bool_), shape)
    are_strings = isinstance(present[0], str)
    for position, item in enumerate(items):
        if missing is not None and missing[position]:
            continue
        is_number = isinstance(item, int | np.integer) and not isinstance(item, bool)
        if isinstance(item, str) != are_strings or not (are_strings or is_number):
            raise _refusal(f"{shorten(item)} at position {position}", isinstance(item, float))
    if are_strings:
        return _of_strings(["" if is_missing(item) else item for item in items], shape)
    wanted = _integer_type(int(min(present)), int(max(present)))
    numbers = (0 if is_missing(item) else int(item) for item in items)
    return RawIds(np.fromiter(numbers, wanted, len(items)), missing, shape)


def _of_strings(items: list[str], shape: tuple[int, ...]) -> RawIds:
    try:
        return _strings(pa.array(items, pa.large_string()), shape)
    except UnicodeEncodeError as error:
        raise InvalidArgumentError(
            f"Strings must be of Unicode's characters. Received half of a surrogate pair in "
            f"{error.object!r}. Decode with errors='replace'."
        ) from None


def _refusal(what: str, is_float: bool) -> InvalidArgumentError:
    remedy = _FLOATS if is_float else "Convert them, all of them to one kind."
    return InvalidArgumentError(
        f"Values must all be strings, or all whole numbers. Received: {what}. {remedy}"
    )
