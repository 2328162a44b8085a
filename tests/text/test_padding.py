"""pad_sequences gives what Keras's gives."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rowwise.errors import InvalidArgumentError, InvalidShapeError
from rowwise.text import pad_sequences

CASES: dict[str, tuple[Any, dict[str, Any]]] = {
    "ints": ([[1, 2, 3], [4], [], [5, 6]], {}),
    "tuples": (((1, 2), (3,)), {}),
    "arrays": ([np.array([1, 2]), np.array([3.7])], {}),
    "numpy numbers": ([[np.int64(1), np.float32(2.5)], [3]], {}),
    "floats cut to ints": ([[1.9, -1.9], [3]], {}),
    "floats": ([[1.5, 2], [3]], {"dtype": "float32", "value": -1.5}),
    "value": ([[1], [2, 3]], {"value": 9}),
    "value cut": ([[1], [2, 3]], {"value": 9.7}),
    "bools": ([[True], [False, True]], {"dtype": bool}),
    "int64": ([[2**40], [1, 2]], {"dtype": "int64"}),
    "all empty": ([[], []], {}),
    "all empty, maxlen": ([[], []], {"maxlen": 3}),
    "nested": ([[[1, 2], [3, 4]], [[5, 6]], []], {}),
    "nested arrays": ([np.ones((2, 3, 2)), np.zeros((4, 3, 2))], {"dtype": "float64"}),
    "numeric strings": ([["1", "2"], ["3"]], {}),
    "strings": ([["a", "bc"], ["d"]], {"dtype": object, "value": "pad"}),
    "fixed strings": ([["a", "bc"], ["d"]], {"dtype": "<U3", "value": "pad"}),
    "objects": ([[None, 1], ["d"]], {"dtype": object, "value": None}),
    "two-dimensional array": (np.arange(6).reshape(2, 3), {"maxlen": 2}),
    "mixed rows": ([[1, 2], np.array([3]), (4, 5, 6)], {}),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("padding", ["pre", "post"])
@pytest.mark.parametrize("truncating", ["pre", "post"])
@pytest.mark.parametrize("maxlen", [None, 1, 2, 5])
def test_same_as_keras(
    case: str, padding: str, truncating: str, maxlen: int | None, keras_pad: Callable[..., Any]
) -> None:
    sequences, options = CASES[case]
    arguments = {"padding": padding, "truncating": truncating, "maxlen": maxlen, **options}
    theirs = keras_pad(sequences, **arguments)
    ours = pad_sequences(sequences, **arguments)
    assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
    np.testing.assert_array_equal(ours, theirs)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    sequences=st.lists(st.lists(st.integers(-(2**31), 2**31 - 1), max_size=6), min_size=1),
    maxlen=st.none() | st.integers(1, 7),
    padding=st.sampled_from(["pre", "post"]),
    truncating=st.sampled_from(["pre", "post"]),
)
def test_same_as_keras_on_any_ints(keras_pad: Callable[..., Any], **arguments: Any) -> None:
    np.testing.assert_array_equal(pad_sequences(**arguments), keras_pad(**arguments))


def test_nothing_to_pad() -> None:
    assert pad_sequences([]).shape == (0, 0)
    assert pad_sequences([], maxlen=3).shape == (0, 3)
    for side in ("pre", "post"):
        assert pad_sequences([[1, 2], []], maxlen=0, padding=side, truncating=side).shape == (2, 0)


@pytest.mark.parametrize(
    ("sequences", "options", "message"),
    [
        ([[1]], {"padding": "left"}, "`padding` must be 'pre' or 'post'"),
        ([[1]], {"truncating": "left"}, "`truncating` must be 'pre' or 'post'"),
        ([[1]], {"maxlen": -1}, "`maxlen` must be a whole number"),
        ([[1]], {"value": "pad"}, "Use dtype=object"),
        ([[1], 2], {}, "Received: 2 of type int at position 1"),
        ((row for row in [[1]]), {}, "of type generator"),
        (["abc", "d"], {"dtype": object}, "position 0 is one string"),
    ],
)
def test_wrong_arguments(sequences: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        pad_sequences(sequences, **options)


def test_steps_of_different_shapes() -> None:
    with pytest.raises(InvalidShapeError, match="position 1 have shape"):
        pad_sequences([[[1, 2]], [[3]]])


def test_numbers_too_large() -> None:
    with pytest.raises(OverflowError):
        pad_sequences([[2**40]])
