"""The operations on rows that a backend provides, beside NumPy."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rowwise.backend import keras
from rowwise.backend import rows as found

assert found is not None
rows = found
ops = keras.ops


def tensor(values: Any, dtype: str = "int32") -> Any:
    return ops.convert_to_tensor(np.asarray(values, dtype=dtype))


def array(values: Any) -> Any:
    return ops.convert_to_numpy(values)


@st.composite
def lookups(draw: st.DrawFn) -> tuple[int, list[int], int]:
    """A table's size, ids in it, and room for at least as many."""
    size = draw(st.integers(1, 12))
    ids = draw(st.lists(st.integers(0, size - 1), min_size=1, max_size=20))
    return size, ids, len(ids) + draw(st.integers(0, 4))


@settings(max_examples=20)
@given(lookups(), st.booleans(), st.integers(0, 2**31 - 1))
def test_distinct_ids_each_once(
    case: tuple[int, list[int], int], compiled: bool, seed: int
) -> None:
    size, ids, room = case
    scratch = np.random.default_rng(seed).integers(-(2**31), 2**31, size)

    def find(scratch: Any, ids: Any) -> Any:
        return rows.find_distinct(scratch, ids, room)

    find = rows.compiled(find) if compiled else find
    for _ in range(2):  # whatever the first leaves in the scratch, the second does not mind
        scratch, distinct, places, count = find(tensor(scratch), tensor(ids))
        distinct, places = array(distinct), array(places)
        assert array(scratch).shape == (size,)
        assert int(count) == len(set(ids))
        assert sorted(distinct[: int(count)]) == sorted(set(ids))
        # Filled up, but where no shape has to be known before.
        assert distinct.shape == (room if rows.batch_block(1) else len(set(ids)),)
        assert (distinct[int(count) :] == size).all()
        assert distinct[places].tolist() == ids
        ids = [*reversed(ids)]


@settings(max_examples=20)
@given(lookups(), st.integers(1, 3), st.integers(0, 2**31 - 1))
def test_sums_of_rows(case: tuple[int, list[int], int], columns: int, seed: int) -> None:
    _, targets, room = case
    room = max(room, 12)
    generator = np.random.default_rng(seed)
    values = generator.normal(size=(len(targets), columns)).astype("float32")
    sums = generator.normal(size=(room, columns)).astype("float32")
    expected = sums.copy()
    np.add.at(expected, targets, values)
    given = rows.sum_rows(tensor(sums, "float32"), tensor(values, "float32"), tensor(targets))
    np.testing.assert_allclose(array(given), expected, rtol=1e-5, atol=1e-5)


@settings(max_examples=15)
@given(st.integers(1, 40), st.integers(1, 20), st.integers(1, 3), st.integers(0, 2**31 - 1))
def test_rows_reduced_by_weights_and_spread_again(
    texts: int, length: int, columns: int, seed: int
) -> None:
    generator = np.random.default_rng(seed)
    table = generator.normal(size=(9, columns)).astype("float32")
    table[0] = np.nan  # nobody looks it up
    ids = generator.integers(1, 9, (texts, length))
    weights = generator.normal(size=(texts, length)).astype("float32")
    reduced = rows.reduce_rows(tensor(table, "float32"), tensor(ids), tensor(weights, "float32"))
    expected = np.einsum("ml,mld->md", weights, table[ids])
    np.testing.assert_allclose(array(reduced), expected, rtol=1e-4, atol=1e-4)

    values = generator.normal(size=(texts, columns)).astype("float32")
    sums = generator.normal(size=table.shape).astype("float32")
    spread = rows.spread_rows(
        tensor(sums, "float32"), tensor(values, "float32"), tensor(weights, "float32"), tensor(ids)
    )
    np.add.at(sums, ids, weights[..., None] * values[:, None])
    np.testing.assert_allclose(array(spread), sums, rtol=1e-4, atol=1e-4)


@settings(max_examples=20)
@given(st.lists(st.booleans(), min_size=1, max_size=40), st.integers(0, 5))
def test_places_of_what_is_true(mask: list[bool], more: int) -> None:
    size = len(mask)
    found, count = rows.find_true(tensor(mask, "bool"), size + more)
    expected = np.flatnonzero(mask)
    assert int(count) == len(expected)
    filling = [size] * (size + more - len(expected))
    np.testing.assert_array_equal(array(found), [*expected, *filling])


@pytest.mark.parametrize("width", [None, 1, 3])
@settings(max_examples=15)
@given(case=lookups(), seed=st.integers(0, 2**31 - 1))
def test_rows_taken_and_put(width: int | None, case: tuple[int, list[int], int], seed: int) -> None:
    size, ids, room = case
    generator = np.random.default_rng(seed)
    tail = () if width is None else (width,)
    table = generator.normal(size=(size, *tail)).astype("float32")
    np.testing.assert_array_equal(
        array(rows.take_rows(tensor(table, "float32"), tensor(ids))), table[ids]
    )
    folded = np.resize(ids, (2, 3))
    np.testing.assert_array_equal(
        array(rows.take_rows(tensor(table, "float32"), tensor(folded))), table[folded]
    )
    different = [*dict.fromkeys(ids)]
    targets = different + [size] * (room - len(different))  # those behind the end are left out
    values = generator.normal(size=(room, *tail)).astype("float32")
    expected = table.copy()
    expected[different] = values[: len(different)]
    put = rows.put_rows(tensor(table, "float32"), tensor(targets), tensor(values, "float32"))
    np.testing.assert_array_equal(array(put), expected)


@given(st.integers(1, 8), st.lists(st.integers(-5, 20), min_size=1, max_size=6))
def test_taking_an_id_without_a_row_gives_some_row(size: int, ids: list[int]) -> None:
    table = np.arange(size, dtype="float32")[:, None] + 1
    taken = array(rows.take_rows(tensor(table, "float32"), tensor(ids)))
    assert np.isin(taken, table).all()


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("count", [0, 1, 7])
def test_loops(count: int, compiled: bool) -> None:
    def run(count: Any, start: Any) -> Any:
        return rows.loop(count, lambda i, carry: (carry[0] + i, carry[1] * 2), (start, start + 1))

    run = rows.compiled(run) if compiled else run
    total, product = run(tensor(count), tensor(3))
    assert (int(total), int(product)) == (3 + sum(range(count)), 4 * 2**count)


@pytest.mark.parametrize("condition", [True, False])
def test_either_of_two(condition: bool) -> None:
    flag = ops.convert_to_tensor(condition)
    result = rows.either(flag, lambda: {"a": tensor(1)}, lambda: {"a": tensor(2)})
    assert int(result["a"]) == (1 if condition else 2)


def test_value_and_gradient() -> None:
    def function(weights: Any) -> Any:
        one, others = weights
        return ops.sum(one * one) + ops.sum(3 * others[0]), {"seen": one + 1}

    weights = (tensor([1, 2], "float32"), [tensor([[4]], "float32")])
    (value, aux), (of_one, (of_other,)) = rows.value_and_gradient(function)(weights)
    assert float(value) == 17
    assert array(aux["seen"]).tolist() == [2, 3]
    assert array(of_one).tolist() == [2, 4]
    assert array(of_other).tolist() == [[3]]


# PyTorch runs operation by operation, and functions are not traced.
if keras.backend.backend() != "torch":

    def test_shapes_without_computing() -> None:
        computed = []

        def function(values: Any) -> Any:
            computed.append(values)
            return ops.matmul(values, ops.transpose(values))

        result = rows.shapes_of(function, tensor(np.ones((3, 2)), "float32"))
        assert tuple(result.shape) == (3, 3)
        assert keras.backend.standardize_dtype(result.dtype) == "float32"
        with pytest.raises(Exception, match=r"[Tt]racer|concret|symbolic"):
            np.asarray(computed[0])

    def test_what_escapes_from_a_loop_is_noticed() -> None:
        def within(values: Any) -> Any:
            return rows.loop(tensor(3), lambda i, carry: carry + values, values)

        def out_of(values: Any) -> Any:
            kept = []

            def body(i: Any, carry: Any) -> Any:
                kept.append(carry)
                return carry + 1

            rows.loop(tensor(3), body, values)
            return kept[0] + 1

        def as_it_is(values: Any) -> Any:
            kept = []

            def body(i: Any, carry: Any) -> Any:
                kept.append(carry)
                return carry + 1

            rows.loop(tensor(3), body, values)
            return kept[0]

        assert not rows.escapes(within, tensor([1.0], "float32"))
        assert rows.escapes(out_of, tensor([1.0], "float32"))
        assert rows.escapes(as_it_is, tensor([1.0], "float32"))


# Elsewhere, what is overwritten is a variable.
if keras.backend.backend() == "jax":

    def test_compiled_functions_may_overwrite_what_they_are_given() -> None:
        table = tensor(np.ones((4, 2)), "float32")
        result = rows.compiled(lambda table: table + 1, donated=(0,))(table)
        assert array(result).tolist() == [[2, 2]] * 4
        assert table.is_deleted()
        kept = tensor(np.ones((4, 2)), "float32")
        rows.compiled(lambda table: table + 1)(kept)
        assert array(kept).tolist() == [[1, 1]] * 4


def test_computing_at_once_inside_a_trace() -> None:
    seen = []

    def function(values: Any) -> Any:
        with rows.at_once():
            seen.append(float(tensor(2.0, "float32") * 3))
        return values

    rows.compiled(function)(tensor(1))
    assert seen == [6.0]
