"""Columns of categorical ids: every value has its own row, whatever it is held in."""

import pickle
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowwise import IdColumn, Vocabulary
from rowwise.errors import InvalidArgumentError, InvalidIdError
from rowwise.text import IdCounts, string_lookup

SIGNED = st.integers(-(1 << 63), (1 << 63) - 1)
UNSIGNED = st.integers(0, (1 << 64) - 1)
NEAR = st.sampled_from([0, 1, 5, (1 << 53) + 1, (1 << 53) + 2, (1 << 63) - 1])
# Numbers that lie close together have a table, others do not.
COLUMNS = st.one_of(
    st.lists(st.integers(-20, 20)),
    st.lists(st.one_of(SIGNED, NEAR)),
    st.lists(st.one_of(UNSIGNED, NEAR)),
    st.lists(st.text(st.sampled_from("aé東😞 "), max_size=3)),
)
HOLDERS: dict[str, Callable[[list[Any]], Any]] = {
    "list": list,
    "generator": iter,
    "array": lambda values: np.array(values, dtype=numpy_kind_of(values)),
    "objects": lambda values: np.array(values, dtype=object),
    "arrow": lambda values: pa.array(values, kind_of(values)),
    "chunks": lambda values: pa.chunked_array(
        [pa.array(values[:2], kind_of(values)), pa.array(values[2:], kind_of(values))]
    ),
    "categories": lambda values: pa.array(values, kind_of(values)).dictionary_encode(),
    "pandas": lambda values: pandas_of(values),
    "pandas categories": lambda values: pandas_of(values).astype("category"),
    "polars": lambda values: pl.Series(values, dtype=polars_kind_of(values)),
}


def kind_of(values: list[Any]) -> pa.DataType:
    present = [value for value in values if value is not None]
    if not present:
        return pa.null()
    if isinstance(present[0], str):
        return pa.string()
    return pa.uint64() if max(present) >= 1 << 63 else pa.int64()


def numpy_kind_of(values: list[Any]) -> Any:
    kinds = {pa.string(): np.str_, pa.uint64(): np.uint64}
    return kinds.get(kind_of(values), np.int64)


def pandas_of(values: list[Any]) -> Any:
    kind = kind_of(values)
    if kind in (pa.string(), pa.null()):
        return pd.Series(values, dtype="str" if kind == pa.string() else "object")
    # Out of a list, pandas makes numbers by way of float64 where some have more than 63 bits.
    numbers = np.array([value or 0 for value in values], kind.to_pandas_dtype())
    missing = np.array([value is None for value in values])
    return pd.Series(pd.arrays.IntegerArray(numbers, missing))


def polars_kind_of(values: list[Any]) -> Any:
    kinds = {pa.string(): pl.String, pa.uint64(): pl.UInt64, pa.int64(): pl.Int64}
    return kinds.get(kind_of(values), pl.Null)


def expected_values(values: list[Any]) -> list[Any]:
    counts = Counter(value for value in values if value not in ("", None))
    return sorted(counts, key=lambda value: (-counts[value], value))


@pytest.mark.parametrize("few", [0, 10**9])
@pytest.mark.parametrize("holder", HOLDERS)
@given(values=COLUMNS, others=st.one_of(st.lists(SIGNED), st.lists(UNSIGNED)))
def test_every_value_has_its_row(
    few: int, holder: str, values: list[Any], others: list[int]
) -> None:
    held = HOLDERS[holder]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(string_lookup, "_FEW", few)
        column = IdColumn.build(held(values))
        wanted = expected_values(values)
        assert column.values == wanted
        assert len(column) == len(wanted) + 2
        rows = {value: row for row, value in enumerate(wanted, 2)}
        asked: list[Any] = [*values, *values]
        if not isinstance((values or [1])[0], str):
            asked = [*values, *others] if _fit_together([*values, *others]) else others
        found = column.ids(held(asked))
        assert found.dtype == np.int32
        assert found.tolist() == [rows.get(value, 1) for value in asked]
    assert column.counts == (0, 0, *(values.count(value) for value in wanted))
    assert column.inverse(found) == [value if value in rows else None for value in asked]
    for copy in (pickle.loads(pickle.dumps(column)), IdColumn.from_json(column.to_json())):
        assert copy == column
        assert hash(copy) == hash(column)
        assert copy.ids(held(asked)).tolist() == found.tolist()


def _fit_together(numbers: list[int]) -> bool:
    return not (min(numbers, default=0) < 0 and max(numbers, default=0) >= 1 << 63)


@pytest.mark.parametrize(
    "make",
    [
        lambda values: values,
        lambda values: np.array(values, dtype=object),
        lambda values: pa.array(values),
        lambda values: pd.Series(values, dtype="Int64"),
        lambda values: pl.Series(values),
        lambda values: [float("nan") if value is None else value for value in values],
        lambda values: [pd.NA if value is None else value for value in values],
    ],
)
def test_what_is_missing_has_the_row_of_the_unknown(make: Callable[[list[Any]], Any]) -> None:
    big = (1 << 53) + 1
    column = IdColumn.build(make([big, None, big, big + 1]))
    assert column.values == [big, big + 1]
    assert column.ids(make([None, big + 1, big])).tolist() == [1, 3, 2]
    assert column.ids([None, float("nan")]).tolist() == [1, 1]
    strings = IdColumn.build(["b", "", None, "b", "a"])
    assert strings.values == ["b", "a"]
    assert strings.ids(["", None, "a", "b", "c"]).tolist() == [1, 1, 3, 2, 1]


def test_arrays_of_any_shape_and_type() -> None:
    column = IdColumn([7, 300, 5])
    ids = column.ids(np.array([[7, 5], [300, 1]], dtype=np.int16))
    assert ids.tolist() == [[2, 4], [3, 1]]
    assert column.ids(np.array([[7], [255]], dtype=np.uint8)).tolist() == [[2], [1]]
    assert column.ids(np.array([7, -7], dtype=">i8")).tolist() == [2, 1]
    assert IdColumn(["a", "bc"]).ids(np.array([["bc"], ["a"]])).tolist() == [[3], [2]]
    assert column[300] == 3
    assert column[np.int8(5)] == 4
    assert (300 in column, 301 in column, None in column) == (True, False, False)


def test_numbers_that_floats_cannot_tell_apart() -> None:
    numbers = [(1 << 64) - 1, (1 << 64) - 2, 1 << 63, (1 << 53) + 1, 1 << 53]
    column = IdColumn(numbers)
    assert column.ids(numbers).tolist() == [2, 3, 4, 5, 6]
    # The same 64 bits, read as signed, are other numbers.
    assert column.ids(np.array(numbers, dtype=np.uint64).view(np.int64)).tolist() == [
        1,
        1,
        1,
        5,
        6,
    ]
    assert IdColumn.from_json(column.to_json()).values == numbers
    dense = IdColumn([-2, -1, 0, 1])
    assert dense.ids(np.array([(1 << 64) - 1, 1], dtype=np.uint64)).tolist() == [1, 5]


def test_many_numbers_whose_hashes_meet() -> None:
    rng = np.random.default_rng(0)
    numbers = np.unique(rng.integers(0, 1 << 64, 50_000, dtype=np.uint64))
    for some in (numbers, np.arange(50_000) << 40, -(np.arange(50_000) << 20)):
        column = IdColumn(some)
        assert np.array_equal(column.ids(some[::-1]), np.arange(len(some) + 1, 1, -1))
        assert (column.ids(some + some.dtype.type(1)) == 1).sum() > 49_000


def test_sizes() -> None:
    values = ["c", "a", "c", "b", "b", "b", "[UNK]", "[UNK]"]
    assert IdColumn.build(values).values == ["b", "c", "a"]
    assert IdColumn.build(values, max_size=4).values == ["b", "c"]
    assert IdColumn.build(values, min_count=2).values == ["b", "c"]
    assert IdColumn.build(values, max_size=2).values == []
    assert IdColumn.build([]).ids(["a", "b"]).tolist() == [1, 1]
    assert repr(IdColumn.build(values)) == "<IdColumn of 5 rows: 'b', 'c', 'a'>"
    assert repr(IdColumn(range(9))) == "<IdColumn of 11 rows: 0, 1, 2, ...>"


def test_its_vocabulary_has_the_same_rows() -> None:
    column = IdColumn.build([30, 10, 10])
    assert column.vocabulary == Vocabulary(["10", "30"], [2, 1])
    assert column.vocabulary["30"] == column[30]
    assert len(column.vocabulary) == len(column)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1.5], "Received: 1.5 at position 0. Floating-point numbers cannot hold"),
        (np.array([1.0]), "an array of dtype float64"),
        (pd.Series([1, None]), "a column of double. .* dtype 'Int64'"),
        (pa.array([True]), "a column of bool. Convert them"),
        ([True], "Received: True at position 0"),
        (["a", 1], "Received: 1 at position 1"),
        ([1, None, "a"], "Received: 'a' at position 2"),
        (np.array([b"a"]), "an array of dtype |S1"),
        ([1 << 64], "must all fit into 64 bits"),
        ([-1, 1 << 63], "Received: -1 and 9223372036854775808. Use strings"),
        ("abc", "Expected several values"),
        (7, "Expected several values"),
        (["\ud83d"], "half of a surrogate pair"),
    ],
)
def test_values_that_would_not_be_exact(values: Any, message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        IdColumn.build(values)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: IdColumn([1, 2, 1]), "value 1 is there twice, the second time at position 2"),
        (lambda: IdColumn(["a", "a"]), "value 'a' is there twice"),
        (lambda: IdColumn(["a", ""]), "value at position 1 is missing"),
        (lambda: IdColumn([None]), "value at position 0 is missing"),
        (lambda: IdColumn(["[UNK]"]), "stands for unknown values"),
        (lambda: IdColumn([1], [1, 2]), "`counts` must hold one count per word: 1"),
        (lambda: IdColumn([1]).ids(["1"]), "holds whole numbers, and strings came"),
        (lambda: IdColumn(["1"]).ids([1]), "holds strings, and whole numbers came"),
        (lambda: IdColumn.build([1], max_size=1), "`max_size` must be at least 2"),
        (lambda: IdColumn.from_json("{"), "JSON was expected"),
        (lambda: IdColumn.from_json("[]"), 'with a list of "values"'),
        (lambda: IdCounts.from_values([1]).merge(2), "Only IdCounts can be merged"),
        (lambda: IdCounts.from_values([1]) + IdCounts.from_values(["a"]), "Convert one kind"),
        (lambda: IdCounts.from_values([-1]) + IdCounts.from_values([1 << 63]), "64 bits"),
    ],
)
def test_what_makes_no_sense(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        call()


@pytest.mark.parametrize("ids", [[-1], [3], [0.5]])
def test_rows_that_are_not_there(ids: list[Any]) -> None:
    with pytest.raises(InvalidIdError, match=r"in \[0, 3\)"):
        IdColumn(["a"]).inverse(ids)


@given(
    parts=st.one_of(
        st.lists(st.lists(st.integers(-5, 5)), min_size=1, max_size=4),
        st.lists(st.lists(UNSIGNED), min_size=1, max_size=4),
        st.lists(st.lists(st.sampled_from(["a", "b", "é", ""])), min_size=1, max_size=4),
    ),
    data=st.data(),
)
def test_parts_are_merged_in_any_order(parts: list[list[Any]], data: st.DataObject) -> None:
    whole = IdCounts.from_values([value for part in parts for value in part])
    counts = [IdCounts.from_values(part) for part in data.draw(st.permutations(parts))]
    one_by_one = counts[0]
    for part in counts[1:]:
        one_by_one = one_by_one + part
    assert one_by_one == counts[0].merge(*counts[1:]) == whole
    assert len(whole) == len(set(map(str, whole.to_column().values)))
    assert whole.to_column() == IdColumn.build([value for part in parts for value in part])
    assert repr(whole).startswith(f"<IdCounts: {len(whole)} different values")
