from typing import Any

import numpy as np
import pytest

from rowwise import keras
from rowwise.errors import InvalidArgumentError, InvalidShapeError, RowwiseError
from rowwise.layers import Embedding
from rowwise.training import Model, Sequential

OF_LISTS = np.array([[1, 2], [3]], dtype=object)
MISTAKES: list[tuple[str, Any, Any, type[RowwiseError], str]] = [
    ("no padding", [[1, 2], [3]], [0, 1], InvalidShapeError, "pad_sequences: they have 1 to 2"),
    ("lists", [[1, 2], [3, 4]], [0, 1], InvalidShapeError, r"np\.array\(ids\)"),
    ("texts", ["good", "bad"], [0, 1], InvalidArgumentError, "takes ids, and received texts"),
    ("array of texts", np.array(["good"]), [0], InvalidArgumentError, "received texts"),
    ("objects", np.array(["good"], dtype=object), [0], InvalidArgumentError, "received texts"),
    ("object ids", np.array([[1, 2]], dtype=object), [0], InvalidArgumentError, r"astype\("),
    ("lists in it", OF_LISTS, [0, 1], InvalidShapeError, "an array of lists.*pad_sequences"),
    ("nothing", np.empty((0, 2), "int32"), np.empty(0), InvalidArgumentError, "no example in the"),
    ("labels", np.array([[1, 2]]), np.array(["yes"]), InvalidArgumentError, "Labels must be"),
]


@pytest.mark.parametrize(
    ("_", "data", "targets", "error", "words"), MISTAKES, ids=[m[0] for m in MISTAKES]
)
def test_what_is_no_array_of_ids_is_an_error_with_the_remedy(
    _: str, data: Any, targets: Any, error: type[RowwiseError], words: str
) -> None:
    model = Sequential([Embedding(10, 2, input_length=2), keras.layers.Flatten()])
    model.compile("sgd", "mse")
    with pytest.raises(error, match=words):
        model.fit(data, targets, verbose=0)


def test_no_example_is_an_error_where_keras_fails_and_no_rows_elsewhere() -> None:
    model = Sequential([Embedding(10, 2, input_length=2), keras.layers.Flatten()])
    ids = np.empty((0, 2), "int32")
    with pytest.raises(InvalidArgumentError, match=r"no example in the data.*\(0, 2\)"):
        model.predict(ids)
    assert model.predict_on_batch(ids).shape == (0, 4)


def test_the_input_is_named_that_holds_objects() -> None:
    first, second = (keras.Input((1,), dtype="int32", name=name) for name in "ab")
    rows = [keras.layers.Flatten()(Embedding(10, 2)(ids)) for ids in (first, second)]
    model = Model([first, second], keras.layers.Add()(rows))
    ids = np.array([[1], [2]])
    for data in ([ids, ids.astype(object)], {"a": ids, "b": ids.astype(object)}):
        with pytest.raises(InvalidArgumentError, match="input 'b' is one of Python objects"):
            model.predict(data, verbose=0)


def test_several_inputs_in_a_list_are_no_mistake() -> None:
    first, second = (keras.Input((1,), dtype="int32") for _ in range(2))
    rows = [keras.layers.Flatten()(Embedding(10, 2)(ids)) for ids in (first, second)]
    model = keras.Model([first, second], keras.layers.Add()(rows))
    ids = np.array([[1], [2]])
    assert model.predict([ids, ids], verbose=0).shape == (2, 2)
