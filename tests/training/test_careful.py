from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rowwise import keras
from rowwise.errors import InvalidIdError
from rowwise.layers import Embedding
from rowwise.text import Vocabulary
from rowwise.training import Model, Sequential


def table_of(ids: Any, rows: int = 10) -> Any:
    return keras.layers.Flatten()(Embedding(rows, 2)(ids))


def two_inputs() -> Any:
    """The names sort the other way round than the inputs stand."""
    ids = keras.Input((1,), dtype="int32", name="z_ids")
    number = keras.Input((1,), dtype="float32", name="a_number")
    joined = keras.layers.Concatenate()([table_of(ids), number])
    model = Model([ids, number], keras.layers.Dense(1)(joined))
    model.compile("sgd", "mse")
    return model


@pytest.mark.parametrize("kind", ["dict", "list"])
def test_each_input_is_checked_by_its_own_name(kind: str) -> None:
    model = two_inputs()
    good = {"z_ids": np.array([[1], [2]]), "a_number": np.array([[0.5], [1.5]])}
    bad = {**good, "z_ids": np.array([[1], [2.5]])}
    as_given: Callable[[Any], Any] = dict if kind == "dict" else lambda d: list(d.values())
    assert model.predict(as_given(good), verbose=0).shape == (2, 1)
    with pytest.raises(InvalidIdError, match=r"'z_ids' takes ids.*2\.5 at position \(1, 0\)"):
        model.predict(as_given(bad), verbose=0)


class Batches(keras.utils.PyDataset):
    def __init__(self, ids: np.ndarray) -> None:
        super().__init__()
        self.ids = ids

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> Any:
        return self.ids, np.zeros((len(self.ids), 4))


FLOATS = np.array([[1.0, 2.0], [3.0, 1.5]], dtype="float32")
SOURCES: list[tuple[str, Callable[[np.ndarray], Any]]] = [
    ("array", lambda ids: ids),
    ("tensor", lambda ids: keras.ops.convert_to_tensor(ids)),
    ("dataset", Batches),
    ("frame", pd.DataFrame),
]


@pytest.mark.parametrize(("_", "source"), SOURCES, ids=[source[0] for source in SOURCES])
@pytest.mark.parametrize("loop", ["fit", "evaluate", "predict"])
def test_an_id_that_is_not_whole_is_an_error_wherever_it_comes_from(
    _: str, source: Any, loop: str
) -> None:
    model = Sequential([Embedding(10, 2, input_length=2), keras.layers.Flatten()])
    model.compile("sgd", "mse")
    targets = () if _ == "dataset" or loop == "predict" else (np.zeros((2, 4)),)
    getattr(model, loop)(source(np.floor(FLOATS)), *targets, verbose=0)
    with pytest.raises(InvalidIdError, match=r"1\.5"):
        getattr(model, loop)(source(FLOATS), *targets, verbose=0)


def test_ids_that_turn_bad_in_a_later_epoch_are_found_beside_validation() -> None:
    class TurnsBad(Batches):
        epoch = 0

        def on_epoch_end(self) -> None:
            self.epoch += 1
            if self.epoch == 2:
                self.ids = self.ids + 10

    model = Sequential([Embedding(10, 2, input_length=2), keras.layers.Flatten()])
    model.compile("sgd", "mse")
    good = np.array([[1, 2], [3, 4]])
    with pytest.raises(InvalidIdError, match="Received: 14"):
        model.fit(TurnsBad(good), validation_data=Batches(good), epochs=5, verbose=0)
    assert np.isfinite(model.get_weights()[0]).all()


def test_a_row_of_the_data_is_named_only_when_it_is_sure() -> None:
    first, second = (keras.Input((1,), dtype="int32", name=name) for name in "ab")
    model = Model(
        [first, second], keras.layers.Add()([table_of(first), table_of(second, rows=100)])
    )
    ids = [np.ones((40, 1), dtype=int), np.ones((40, 1), dtype=int)]
    ids[0][35], ids[1][20] = 70, 70  # 70 is a bad id of the first and a good one of the second
    with pytest.raises(InvalidIdError) as caught:
        model.predict(ids, batch_size=32, verbose=0)
    assert caught.value.position == (3, 0)
    assert "in the data" not in str(caught.value)
    ids[1][20] = 1
    with pytest.raises(InvalidIdError, match="in the data it is row 35") as caught:
        model.predict(ids, batch_size=32, verbose=0)
    assert caught.value.position == (35, 0)


@pytest.mark.parametrize("kind", ["dict", "list", "subclassed"])
def test_the_input_of_a_table_that_several_share_is_named(kind: str) -> None:
    shared = Embedding(10, 2)

    class Both(Model):
        def __init__(self) -> None:
            super().__init__()
            self.table, self.add = shared, keras.layers.Add()

        def call(self, given: Any) -> Any:
            return self.add([keras.layers.Flatten()(self.table(ids)) for ids in given])

    if kind == "subclassed":
        model: Any = Both()
    else:
        inputs = [keras.Input((1,), dtype="int32", name=name) for name in ("question", "answer")]
        model = Model(inputs, keras.layers.Add()([shared(ids) for ids in inputs]))
    model.compile("sgd", "mse")
    ids = [np.ones((40, 1), "int32"), np.ones((40, 1), "int32")]
    data: Any = dict(zip(("question", "answer"), ids, strict=True)) if kind == "dict" else ids
    name = "1" if kind == "subclassed" else "'answer'"
    ids[1][35] = 70
    said = f"in the data it is row 35 of input {name}"
    with pytest.raises(InvalidIdError, match=said):
        model.predict(data, batch_size=32, verbose=0)
    with pytest.raises(InvalidIdError, match=said):
        model.fit(data, np.zeros((40, 2)), batch_size=32, shuffle=False, verbose=0)
    ids[1][34] = 70
    with pytest.raises(InvalidIdError, match=f"In the data it is a row of input {name}"):
        model.predict(data, batch_size=32, verbose=0)


def test_a_bad_id_in_validation_data_is_said_to_be_there() -> None:
    model = Sequential([Embedding(10, 2, input_length=2), keras.layers.Flatten()])
    model.compile("sgd", "mse")
    ids, targets = np.ones((80, 2), "int32"), np.zeros((80, 4))
    ids[75] = 12
    said = r"in the data it is row 35\. This was while `fit` evaluated, on validation data"
    with pytest.raises(InvalidIdError, match=said) as caught:
        model.fit(ids, targets, validation_split=0.5, verbose=0)
    assert caught.value.position == (35, 0)
    with pytest.raises(InvalidIdError) as caught:
        model.evaluate(ids, targets, verbose=0)
    assert "`fit`" not in str(caught.value)
    model.fit(ids[:40], targets[:40], verbose=0)


@pytest.mark.parametrize("kind", ["columns", "tensors", "nested"])
def test_no_input_is_named_by_chance(kind: str) -> None:
    users, items = (keras.Input((1,), dtype="int32", name=name) for name in ("user", "item"))
    rows = [table_of(users, rows=100), table_of(items, rows=50)]
    model = Model([users, items], keras.layers.Add()(rows))
    item = np.ones(100, "int32")
    item[80] = 70  # row 70 of the users has this number, too
    data: Any = [np.arange(100)[:, np.newaxis], item]
    if kind == "tensors":
        data[1] = keras.ops.convert_to_tensor(item[:, np.newaxis])
    if kind == "nested":
        model = Model({"user": users, "more": {"item": items}}, keras.layers.Add()(rows))
        data = {"user": np.zeros((100, 1), "int32"), "more": {"item": item[:, np.newaxis]}}
    with pytest.raises(InvalidIdError, match="has 50 rows") as caught:
        model.predict(data, batch_size=32, verbose=0)
    said = "in the data it is row 80 of input 'more'" if kind == "nested" else "1 of 32 ids"
    assert said in str(caught.value)
    assert ("of input" in str(caught.value)) == (kind == "nested")


# On TensorFlow, Keras's own layers cannot be rematerialised in `fit` either.
@pytest.mark.parametrize("mode", [] if keras.backend.backend() == "tensorflow" else ["full"])
def test_training_may_be_rematerialised(mode: str) -> None:
    with keras.RematScope(mode=mode):
        model = Sequential([Embedding(10, 2, input_length=2), keras.layers.Flatten()])
        model.compile("sgd", "mse")
        model.fit(np.array([[1, 2]]), np.zeros((1, 4)), verbose=0)


@pytest.mark.parametrize("kind", ["sequential", "unbuilt", "functional"])
def test_clones_stay_what_they_are_and_keep_their_words(kind: str) -> None:
    vocabulary = Vocabulary(["good", "bad"])
    if kind == "functional":
        ids = keras.Input((2,), dtype="int32")
        model: Any = Model(ids, keras.layers.Flatten()(Embedding(vocabulary, 2)(ids)))
    else:
        length = {"input_length": 2} if kind == "sequential" else {}
        model = Sequential([Embedding(vocabulary, 2, **length), keras.layers.Flatten()])
    clone = keras.models.clone_model(model)
    assert type(clone) is type(model)
    tables = [layer for layer in clone.layers if isinstance(layer, Embedding)]
    assert [layer.vocabulary for layer in tables] == [vocabulary]
    with pytest.raises(InvalidIdError):
        clone.predict(np.array([[1, 4]]), verbose=0)
    clone.set_weights([weights + 1 for weights in model.get_weights()])
    assert not np.array_equal(clone.get_weights()[0], model.get_weights()[0])


@pytest.mark.parametrize("policy", ["clip", "oov"])
def test_the_mask_is_of_the_ids_that_are_looked_up(policy: str) -> None:
    layer = Embedding(10, 2, mask_zero=True, invalid_ids=policy, oov_id=0)
    ids = keras.ops.convert_to_tensor(np.array([[-1, 3]]))
    assert keras.ops.convert_to_numpy(layer.compute_mask(ids)).tolist() == [[False, True]]


def test_saving_through_a_link_keeps_the_link(tmp_path: Path) -> None:
    (tmp_path / "real.keras").write_bytes(b"old")
    (tmp_path / "link.keras").symlink_to(tmp_path / "real.keras")
    Sequential([Embedding(5, 2, input_length=1)]).save(tmp_path / "link.keras")
    assert (tmp_path / "link.keras").is_symlink()
    assert len((tmp_path / "real.keras").read_bytes()) > 100


@pytest.mark.parametrize("method", ["fit", "train_on_batch"])
def test_a_model_that_was_not_compiled_says_what_keras_says(method: str) -> None:
    model = Sequential([Embedding(5, 2, input_length=3), keras.layers.Flatten()])
    with pytest.raises(ValueError, match="compile"):
        getattr(model, method)(np.zeros((4, 3), "int32"), np.zeros((4, 6)))
