from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowwise.backend import keras
from rowwise.errors import InvalidArgumentError, InvalidIdError, InvalidShapeError
from rowwise.layers import Embedding
from rowwise.text import Vocabulary
from rowwise.training import Model, Sequential

TABLE = np.arange(40, dtype="float32").reshape(10, 4)
GOOD = np.array([[1, 2], [9, 0]])


def values(tensor: Any) -> np.ndarray:
    return keras.ops.convert_to_numpy(tensor)


def test_the_table_is_there_before_any_batch() -> None:
    layer = Embedding(10, 4)
    assert layer.get_weights()[0].shape == (10, 4)
    layer.set_weights([TABLE])
    assert np.array_equal(values(layer(GOOD)), TABLE[GOOD])


@pytest.mark.parametrize("weights", [TABLE, [TABLE], TABLE.tolist(), TABLE.astype("float64")])
def test_weights_may_be_a_matrix_or_a_list_of_one(weights: Any) -> None:
    assert np.array_equal(Embedding(10, 4, weights=weights).get_weights()[0], TABLE)


def test_weights_of_another_shape_are_named() -> None:
    with pytest.raises(InvalidShapeError, match=r"\(10, 4\)\. Received shape \(4, 10\)"):
        Embedding(10, 4, weights=TABLE.T)


@pytest.mark.parametrize(
    "given_ids",
    [
        GOOD,
        GOOD.astype("int8"),
        GOOD.astype("uint64"),
        GOOD.astype("float32"),
        GOOD.astype("float64"),
        GOOD.tolist(),
        keras.ops.convert_to_tensor(GOOD, dtype="int32"),
        keras.ops.convert_to_tensor(GOOD, dtype="float32"),
        keras.ops.convert_to_tensor(GOOD, dtype="uint8"),
        GOOD.astype(bool),
    ],
    ids=lambda ids: str(getattr(ids, "dtype", type(ids))),
)
def test_ids_of_any_dtype_look_up_the_same_rows(given_ids: Any) -> None:
    layer = Embedding(10, 4, weights=TABLE)
    assert np.array_equal(values(layer(given_ids)), TABLE[np.asarray(given_ids).astype(int)])


@given(
    st.lists(st.integers(0, 9), min_size=1, max_size=12),
    st.sampled_from(["int32", "int64", "float32"]),
)
def test_rows_are_numpys_rows(ids: list[int], dtype: str) -> None:
    layer = Embedding(10, 4, weights=TABLE)
    assert np.array_equal(values(layer(np.array(ids, dtype=dtype))), TABLE[ids])


# What is wrong, the layer's rows, the ids, and what the message has to say.
BAD_IDS = [
    (
        "off by one",
        10,
        np.array([[1, 2], [3, 10]]),
        ("10 rows", "0 to 9", "10 at position (1, 1)", "off by one", "+ 1"),
    ),
    ("minus one", 10, np.array([[-1, 2]]), ("-1 at position (0, 0)", "missing value")),
    ("far above", 10, np.array([5000]), ("5000 at position 0", "larger vocabulary")),
    ("overflow", 10, np.array([-(2**31)]), ("overflow",)),
    ("worst of many", 10, np.array([10, 11, 99, -3]), ("99 at position 2", "4 of 4 ids")),
    ("not whole", 10, np.array([[0.0, 2.5]]), ("2.5 at position (0, 1)", "not ids")),
    ("nan", 10, np.array([1.0, np.nan]), ("nan at position 1", "not ids")),
    ("infinite", 10, np.array([np.inf]), ("inf at position 0",)),
    ("beyond 32 bits", 10, np.array([2**32 + 1]), ("4294967297 at position 0",)),
    ("scalar", 10, np.int64(10), ("Received: 10.",)),
]
BAD_IDS_IDS = [case[0] for case in BAD_IDS]


@pytest.mark.parametrize(("_", "rows", "ids", "words"), BAD_IDS, ids=BAD_IDS_IDS)
def test_a_bad_id_in_a_plain_call_is_an_error_that_says_why(
    _: str, rows: int, ids: Any, words: tuple[str, ...]
) -> None:
    with pytest.raises(InvalidIdError) as caught:
        Embedding(rows, 2, name="table")(ids)
    for word in ("'table'", *words):
        assert word in str(caught.value)


def test_an_id_that_floating_point_cannot_hold_is_an_error() -> None:
    layer = Embedding(2**24 + 5, 1, embeddings_initializer="zeros")
    with pytest.raises(InvalidIdError, match="float rounding"):
        layer(np.array([2.0**24], dtype="float32"))
    layer(np.array([2**24 + 1]))


def test_words_in_place_of_ids_are_an_error() -> None:
    with pytest.raises(InvalidArgumentError, match="Turn words into ids"):
        Embedding(10, 2)(np.array([["good"]]))


def sequential() -> Any:
    return Sequential([Embedding(10, 4, input_length=2, name="table"), keras.layers.Flatten()])


def functional() -> Any:
    ids = keras.Input((2,), dtype="int32")
    return Model(ids, keras.layers.Flatten()(Embedding(10, 4, name="table")(ids)))


class Subclassed(Model):
    def __init__(self) -> None:
        super().__init__()
        self.table = Embedding(10, 4, name="table")
        self.flat = keras.layers.Flatten()

    def call(self, ids: Any) -> Any:
        return self.flat(self.table(ids))


MODELS: list[Callable[[], Any]] = [sequential, functional, Subclassed]
LOOPS: list[tuple[str, Callable[[Any, Any, Any], Any]]] = [
    ("predict", lambda model, x, _: model.predict(x, batch_size=4, verbose=0)),
    ("evaluate", lambda model, x, y: model.evaluate(x, y, batch_size=4, verbose=0)),
    ("fit", lambda model, x, y: model.fit(x, y, batch_size=4, verbose=0, shuffle=False)),
    ("validation", lambda model, x, y: model.fit(x[:8], y[:8], validation_data=(x, y), verbose=0)),
    ("predict_on_batch", lambda model, x, _: model.predict_on_batch(x)),
    ("test_on_batch", lambda model, x, y: model.test_on_batch(x, y)),
    ("train_on_batch", lambda model, x, y: model.train_on_batch(x, y)),
]


@pytest.mark.parametrize("build", MODELS)
@pytest.mark.parametrize("options", [{}, {"run_eagerly": True}, {"jit_compile": False}], ids=str)
@pytest.mark.parametrize(("_", "run"), LOOPS, ids=[loop[0] for loop in LOOPS])
def test_a_bad_id_in_keras_own_loops_is_the_same_error(
    build: Callable[[], Any],
    options: dict[str, Any],
    _: str,
    run: Callable[[Any, Any, Any], Any],
) -> None:
    model = build()
    model.compile("sgd", "mse", **options)
    ids = np.ones((20, 2), dtype="int64")
    targets = np.zeros((20, 8))
    run(model, ids, targets)
    ids[13, 1] = 10
    with pytest.raises(InvalidIdError, match="off by one") as caught:
        run(model, ids, targets)
    assert caught.value.position == (13, 1) or _ == "validation"
    ids[13, 1] = 9
    # The model is whole: no weight is lost or spoilt, and it goes on.
    run(model, ids, targets)
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


def test_a_stock_model_warns_and_shows_nan() -> None:
    model = keras.Sequential([keras.Input((2,), dtype="int32"), Embedding(10, 4, weights=TABLE)])
    if keras.backend.backend() != "jax":  # the others lose nothing by an exception
        with pytest.raises(Exception, match="-1 at position"):
            model.predict(np.array([[-1, 3]]), verbose=0)
        return
    with pytest.warns(RuntimeWarning, match="-1 at position"):
        rows = model.predict(np.array([[-1, 3]]), verbose=0)
    assert np.isnan(rows[0, 0]).all()
    assert np.array_equal(rows[0, 1], TABLE[3])


@pytest.mark.parametrize("model", [sequential, functional])
@pytest.mark.parametrize(
    ("ids", "cause"),
    [
        (np.array([[0.5, 1.0]]), "scaled features"),
        (np.array([[2.0**40, 0]]), "float rounding, or hashes"),
        (np.array([[2**32 + 1, 0]]), "hashes that are not yet ids"),
        (np.array([[np.nan, 0]]), "missing values"),
    ],
)
def test_numbers_that_an_integer_input_would_change_are_errors(
    model: Callable[[], Any], ids: Any, cause: str
) -> None:
    for call in (model(), lambda x: model().predict(x, verbose=0)):
        with pytest.raises(InvalidIdError, match=f"takes ids.*{cause}"):
            call(ids)


POLICIES = [
    ("clip", {"invalid_ids": "clip"}, [0, 9, 9, 4]),
    ("oov", {"invalid_ids": "oov", "oov_id": 3}, [3, 3, 3, 4]),
    ("NumPy's oov", {"invalid_ids": "oov", "oov_id": np.int64(3)}, [3, 3, 3, 4]),
]


@pytest.mark.parametrize(("_", "options", "expected"), POLICIES, ids=[p[0] for p in POLICIES])
@pytest.mark.parametrize("dtype", ["int32", "float32"])
def test_policies_for_bad_ids(_: str, options: Any, expected: list[int], dtype: str) -> None:
    layer = Embedding(10, 4, weights=TABLE, **options)
    ids = np.array([-5, 10, 99, 4], dtype=dtype)
    model = Sequential([keras.Input((4,), dtype="int32"), layer])
    found = (
        layer(ids),
        layer(keras.ops.convert_to_tensor(ids)),
        model.predict(ids[None], verbose=0)[0],
    )
    for rows in found:
        assert np.array_equal(values(rows), TABLE[expected])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"invalid_ids": "ignore"}, "'raise', 'clip', 'oov'"),
        ({"invalid_ids": "oov"}, "from 0 to 9"),
        ({"invalid_ids": "oov", "oov_id": 10}, "Received: 10"),
        ({"zero_padding": "yes"}, "`zero_padding` must be True or False. Received: 'yes'"),
        ({"weights": np.full((10, 4), np.nan)}, r"must be finite.*10 rows of 10 .* row 0 fi"),
        ({"weights": np.full((10, 4), 1e300)}, "must be finite, in float32 too"),
        ({"weights": np.full((10, 4), None)}, "must be finite"),
        ({"weights": np.diag([1, 1, 1, np.inf])[[0] * 6 + [3] * 4]}, "4 rows of 10.* row 6 first"),
    ],
)
def test_an_option_without_sense_is_an_error(options: Any, words: str) -> None:
    with pytest.raises(InvalidArgumentError, match=words):
        Embedding(10, 4, **options)


def test_a_vocabulary_gives_the_number_of_rows_and_the_unknown_id() -> None:
    vocabulary = Vocabulary(["good", "bad"])
    layer = Embedding(vocabulary, 3, invalid_ids="oov")
    assert (layer.input_dim, layer.oov_id, layer.vocabulary) == (4, 1, vocabulary)


def test_a_vocabulary_stays_with_a_saved_model(tmp_path: Path) -> None:
    vocabulary = Vocabulary(["good", "猫", "a b"])
    layers = [Embedding(vocabulary, 3, input_length=2), Embedding(4, 2)]
    ids = keras.Input((2,), dtype="int32")
    Model(ids, [layer(ids) for layer in layers]).save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    found = [layer.vocabulary for layer in loaded.layers if isinstance(layer, Embedding)]
    assert found == [vocabulary, None]


def test_the_configuration_makes_the_same_layer() -> None:
    layer = Embedding(
        10, 4, input_length=(2,), invalid_ids="oov", oov_id=2, mask_zero=True, trainable=False
    )
    config = layer.get_config()
    again = Embedding.from_config(config)
    assert again.get_config() == config
    assert (again.invalid_ids, again.oov_id, again.input_length) == ("oov", 2, (2,))


def test_the_mask_is_keras_own() -> None:
    layer = Embedding(10, 4, mask_zero=True)
    mask = layer.compute_mask(keras.ops.convert_to_tensor(GOOD))
    assert np.array_equal(values(mask), GOOD != 0)


# Keras's own: it warns of every layer that has nothing to quantise.
@pytest.mark.filterwarnings("ignore:Layer InputLayer does not have a `quantize`:UserWarning")
@pytest.mark.parametrize("mode", ["int8", "int4"])
def test_quantised_tables_stay_close_and_still_check(mode: str, tmp_path: Path) -> None:
    model = Sequential([Embedding(10, 4, input_length=2)])
    before = model.predict(GOOD, verbose=0)
    model.quantize(mode)
    after = model.predict(GOOD, verbose=0)
    assert np.abs(after - before).max() < 0.005
    with pytest.raises(InvalidIdError):
        model.predict(GOOD + 1, verbose=0)
    model.save(tmp_path / "small.keras")
    loaded = keras.models.load_model(tmp_path / "small.keras")
    assert np.allclose(loaded.predict(GOOD, verbose=0), after)


def test_lora_trains_only_the_added_matrices(tmp_path: Path) -> None:
    layer = Embedding(10, 4, input_length=2, lora_rank=2)
    model = Sequential([layer, keras.layers.Flatten()])
    model.compile("sgd", "mse")
    table = keras.ops.convert_to_numpy(layer._embeddings.value)
    model.fit(GOOD, np.ones((2, 8)), verbose=0, epochs=3)
    assert np.array_equal(keras.ops.convert_to_numpy(layer._embeddings.value), table)
    expected = model.predict(GOOD, verbose=0)
    assert not np.allclose(expected.reshape(2, 2, 4), table[GOOD])
    model.save(tmp_path / "lora.keras")
    loaded = keras.models.load_model(tmp_path / "lora.keras")
    assert np.allclose(loaded.predict(GOOD, verbose=0), expected, atol=1e-6)
