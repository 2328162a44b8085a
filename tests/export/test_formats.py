"""Every format, of every head and of other models: other programs get what rowwise computes."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import pytest
from exported import HEADS, TEXTS
from model2vec import StaticModel
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from rowwise import TextClassifier, Vectors, Vocabulary, load_model
from rowwise.backend import keras
from rowwise.errors import BackendError, InvalidArgumentError, MissingExtraError
from rowwise.export import FORMATS, export_model, stock_model, writing
from rowwise.layers import Embedding, EmbedReduce, Pool
from rowwise.training import Model, Sequential

Predict = Callable[..., npt.NDArray[Any]]


def ids_of(folder: Path, texts: list[str]) -> npt.NDArray[np.int32]:
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    return np.array([each.ids for each in tokenizer.encode_batch(texts)], dtype=np.int32)


def by_keras(folder: Path, predict: Predict) -> npt.NDArray[Any]:
    return predict(folder / "model.keras", ids_of(folder, TEXTS))


def by_onnxruntime(folder: Path, predict: Predict) -> npt.NDArray[Any]:
    session = onnxruntime.InferenceSession(folder / "model.onnx")
    assert json.loads(session.get_modelmeta().custom_metadata_map["labels"]) == labels_of(folder)
    found: npt.NDArray[Any] = session.run(["probabilities"], {"ids": ids_of(folder, TEXTS)})[0]
    return found


def labels_of(folder: Path) -> list[Any]:
    labels: list[Any] = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
    return labels


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize(
    ("format", "file", "run"),
    [("keras", "model.keras", by_keras), ("onnx", "model.onnx", by_onnxruntime)],
)
def test_a_classifier_predicts_the_same(
    classifiers: dict[str, TextClassifier],
    predict_without_rowwise: Predict,
    head: str,
    format: str,
    file: str,
    run: Callable[[Path, Predict], npt.NDArray[Any]],
    tmp_path: Path,
) -> None:
    classifier = classifiers[head]
    written = export_model(classifier, tmp_path / "out", format)
    assert {path.name for path in written} == {file, "labels.json", "tokenizer.json"}
    expected = classifier.predict_proba(TEXTS)
    assert np.ptp(expected) > 0.3, "no two of them are near by chance"
    np.testing.assert_allclose(run(tmp_path / "out", predict_without_rowwise), expected, atol=1e-5)
    assert labels_of(tmp_path / "out") == classifier.classes_.tolist()


@pytest.mark.parametrize("head", HEADS)
def test_model2vec_encodes_a_text_as_the_mean_of_its_words(
    classifiers: dict[str, TextClassifier], head: str, tmp_path: Path
) -> None:
    classifier = classifiers[head]
    export_model(classifier, tmp_path / "out", "model2vec")
    model = StaticModel.from_pretrained(tmp_path / "out")
    vectors = classifier.word_vectors()
    for text, found in zip(TEXTS, model.encode(TEXTS, max_length=None), strict=True):
        known = [word for word in classifier.splitter_.split(text) if word in vectors]
        rows = vectors.get(known) if known else np.zeros((1, vectors.dimension))
        np.testing.assert_allclose(found, rows.mean(axis=0), atol=1e-6)
    assert Vectors.load(tmp_path / "out").words == vectors.words


def test_safetensors_and_projector(classifiers: dict[str, TextClassifier], tmp_path: Path) -> None:
    classifier = classifiers["pooled"]
    written = export_model(classifier, tmp_path / "s", "safetensors")
    assert [path.name for path in written] == ["tables.safetensors", "words.json"]
    tensors = load_file(tmp_path / "s" / "tables.safetensors")
    assert sorted(tensors) == ["pairs", "words"]
    for name, tensor in tensors.items():
        assert np.array_equal(tensor, classifier.model_.get_layer(name).get_weights()[0])
    words = json.loads((tmp_path / "s" / "words.json").read_text(encoding="utf-8"))
    assert words == {"words": list(classifier.vocabulary_.words)}
    export_model(classifier, tmp_path / "p", "projector")
    back = Vectors.load(tmp_path / "p")
    assert back.words == classifier.word_vectors().words
    np.testing.assert_allclose(back.rows, classifier.word_vectors().rows, rtol=1e-6)


def two_tables() -> Any:
    words = Embedding(Vocabulary(["soup", "spoon"]), 3, name="words")
    tags = Embedding(Vocabulary(["noun"]), 2, name="tags")
    plain = Embedding(9, 2, name="plain")
    ids = keras.Input((4,), dtype="int32", name="ids")
    rows = keras.layers.Concatenate()([words(ids), tags(keras.ops.minimum(ids, 2)), plain(ids)])
    return Model(ids, Pool()(rows), name="two_tables")


def test_a_model_with_words(predict_without_rowwise: Predict, tmp_path: Path) -> None:
    model, ids = two_tables(), np.array([[2, 3, 1, 0]], dtype=np.int32)
    expected = model.predict(ids, verbose=0)
    written = export_model(model, tmp_path / "k")
    assert [path.name for path in written] == ["model.keras", "words.json"]
    found = predict_without_rowwise(tmp_path / "k" / "model.keras", ids)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    words = json.loads((tmp_path / "k" / "words.json").read_text(encoding="utf-8"))
    assert words["tags"] == ["", "[UNK]", "noun"]
    export_model(model, tmp_path / "m", "model2vec", layer="words")
    static = StaticModel.from_pretrained(tmp_path / "m")
    np.testing.assert_allclose(
        static.encode("soup spoon"), model.get_layer("words").get_weights()[0][2:].mean(axis=0)
    )


def test_what_a_file_holds_is_exported_as_what_was_saved(
    classifiers: dict[str, TextClassifier], tmp_path: Path
) -> None:
    # In a model from a file operations have names that Keras gives to new ones, too.
    model = two_tables()
    keras.backend.clear_session()
    model.save(tmp_path / "model.keras")
    ids = np.array([[2, 3, 1, 0]], dtype=np.int32)
    for _ in range(2):
        keras.backend.clear_session()
        again = stock_model(load_model(tmp_path / "model.keras"))
        assert np.allclose(again.predict(ids, verbose=0), model.predict(ids, verbose=0))
    classifiers["lstm"].save(tmp_path / "lstm.keras")
    keras.backend.clear_session()
    loaded = load_model(tmp_path / "lstm.keras")
    found = stock_model(loaded).predict(loaded._encode(TEXTS), verbose=0)
    assert np.allclose(found, classifiers["lstm"].predict_proba(TEXTS), atol=1e-6)


def test_a_stock_model_is_apart_from_the_model_and_keeps_its_names() -> None:
    model = two_tables()
    before = [layer.name for layer in model.layers], model.layers[1].output
    stock = stock_model(model)
    assert type(stock) is type(keras.Model(stock.inputs, stock.outputs))
    assert stock.name == "two_tables"
    assert stock.get_layer("words").__class__ is keras.layers.Embedding
    stock.get_layer("words").set_weights([np.zeros((4, 3))])
    assert np.abs(model.get_layer("words").get_weights()[0]).max() > 0
    assert before == ([layer.name for layer in model.layers], model.layers[1].output)


def test_inputs_and_outputs_keep_their_structure() -> None:
    first, second = (keras.Input((3,), dtype="int32", name=name) for name in ("a", "b"))
    table = Embedding(9, 2)
    model = Model(
        {"b": second, "a": first}, {"x": Pool()(table(first)), "y": Pool("max")(table(second))}
    )
    ids = {name: np.array([[1, 2, 3]], dtype=np.int32) for name in ("a", "b")}
    expected, found = model.predict(ids, verbose=0), stock_model(model).predict(ids, verbose=0)
    assert sorted(found) == ["x", "y"]
    for name in found:
        np.testing.assert_allclose(found[name], expected[name], atol=1e-6)


def test_labels_of_any_kind(tmp_path: Path) -> None:
    small = {"pair_buckets": 0, "output_dim": 2, "epochs": 1}
    classifier = TextClassifier(**small).fit(["a", "b", "c"] * 3, [7, 11, -1] * 3)
    export_model(classifier, tmp_path / "o", "onnx")
    assert labels_of(tmp_path / "o") == [-1, 7, 11]
    classifier = TextClassifier(**small, max_length=1).fit(["a", "b"] * 3, ["ä", "ß"] * 3)
    export_model(classifier, tmp_path / "o", "onnx")
    assert labels_of(tmp_path / "o") == ["ß", "ä"]
    found = by_onnxruntime(tmp_path / "o", lambda: np.empty(0))
    np.testing.assert_allclose(found, classifier.predict_proba(TEXTS), atol=1e-5)


def test_weights_beside_the_file(
    classifiers: dict[str, TextClassifier], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "LARGEST_ONNX", 100)
    written = export_model(classifiers["cnn"], tmp_path / "o", "onnx")
    assert "model.onnx.data" in {path.name for path in written}
    onnx.checker.check_model(str(tmp_path / "o" / "model.onnx"))
    found = by_onnxruntime(tmp_path / "o", lambda: np.empty(0))
    np.testing.assert_allclose(found, classifiers["cnn"].predict_proba(TEXTS), atol=1e-5)


class OfItsOwn(keras.Model):
    def call(self, inputs: Any) -> Any:
        return inputs


class OwnLayer(keras.layers.Layer):
    def call(self, inputs: Any) -> Any:
        return inputs * 2

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape


def doubled(inputs: Any) -> Any:
    return inputs * 2


def relu(inputs: Any) -> Any:
    return inputs * 2


def chain(*parts: Any) -> Any:
    return Sequential([Embedding(5, 4, input_length=3, name="words"), *parts])


def quantised() -> Any:
    model = chain(Pool())
    model.get_layer("words").quantize("int8")
    return model


def broken() -> Any:
    """A model whose training went wrong at one word."""
    model = Sequential([Embedding(Vocabulary(["soup", "spoon"]), 2, input_length=3, name="words")])
    rows = model.layers[0].get_weights()[0]
    rows[3] = np.nan
    model.layers[0].set_weights([rows])
    return model


BOTH = ("keras", "onnx")


@pytest.mark.parametrize(
    ("make", "formats", "message"),
    [
        (lambda: 3, tuple(FORMATS), "Expected a TextClassifier or a Keras model. Received: int."),
        (lambda: "model.keras", tuple(FORMATS), "Received: str. Load it: rowwise.load_model."),
        (TextClassifier, tuple(FORMATS), "This TextClassifier has not learned anything yet."),
        (lambda: Vectors(["a"], [[1.0]]), tuple(FORMATS), "Vectors are no model."),
        (OfItsOwn, BOTH, "of the class OfItsOwn holds code of its own"),
        (lambda: Sequential([Embedding(5, 4)]), BOTH, "is not built, so its shapes are not known."),
        (lambda: chain(OwnLayer(name="mine")), BOTH, "Layer 'mine' of the class OwnLayer is code"),
        (
            lambda: chain(keras.Sequential([keras.Input((3, 4)), OwnLayer(name="mine")])),
            BOTH,
            "Layer 'mine' of the class OwnLayer is code",
        ),
        (
            lambda: chain(keras.layers.Lambda(lambda x: x, name="code")),
            BOTH,
            "Layer 'code' of the class Lambda is code",
        ),
        (
            lambda: chain(keras.layers.TimeDistributed(OwnLayer(), name="each")),
            BOTH,
            "Layer 'each' uses OwnLayer, which is code of its own",
        ),
        (
            lambda: chain(keras.layers.Dense(2, activation=lambda x: x, name="last")),
            BOTH,
            "Layer 'last' uses a lambda, which is code of its own",
        ),
        (
            lambda: chain(keras.layers.Dense(2, activation=doubled, name="last")),
            BOTH,
            "Layer 'last' uses doubled, which is code of its own",
        ),
        (
            lambda: chain(keras.layers.Dense(2, activation=relu, name="last")),
            BOTH,
            "Layer 'last' uses relu, which is code of its own",
        ),
        (
            lambda: chain(keras.layers.Dense(2, activation=keras.ops.gelu, name="last")),
            BOTH,
            "Layer 'last' uses gelu, which is code of its own",
        ),
        (
            lambda: chain(keras.layers.Activation(keras.layers.Activation(relu), name="last")),
            BOTH,
            "Layer 'last' uses relu, which is code of its own",
        ),
        (
            lambda: chain(keras.layers.LSTM(2, activation=relu, name="read")),
            BOTH,
            "Layer 'read' uses relu, which is code",
        ),
        (
            lambda: chain(keras.layers.GRU(2, recurrent_activation=relu, name="read")),
            BOTH,
            "Layer 'read' uses relu, which is code",
        ),
        (quantised, (*BOTH, "safetensors"), "The table of layer 'words' is quantised."),
        (
            lambda: keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]),
            ("safetensors", "model2vec", "projector"),
            "has no embedding layer with a table",
        ),
        (broken, ("projector",), "finite numbers only. The row of 'spoon' holds NaN or infinity"),
        (chain, ("model2vec", "projector"), "No table of the model knows its words."),
        (two_tables, ("model2vec", "projector"), "2 tables have words: 'words', 'tags'. Choose "),
    ],
)
def test_a_model_that_a_format_cannot_hold(
    make: Callable[[], Any], formats: tuple[str, ...], message: str, tmp_path: Path
) -> None:
    model = make()
    for format in formats:
        with pytest.raises(InvalidArgumentError) as raised:
            export_model(model, tmp_path / "out", format)
        assert message in str(raised.value)
        assert not list(tmp_path.iterdir()), "nothing is left behind"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"format": "pickle"}, "`format` must be one of 'keras', 'onnx', 'saved_model', "),
        ({"format": "keras", "layer": "words"}, "The format keras holds all layers"),
        (
            {"format": "projector", "layer": "rows"},
            "an embedding layer: 'words', 'tags', 'plain'. Rec",
        ),
        ({"format": "projector", "layer": "plain"}, "knows no words. The tables of 'words', "),
        ({"format": "onnx", "path": "file"}, "it is a file, and this would be a folder."),
        ({"format": "saved_model", "path": "full"}, "There is something at "),
    ],
)
def test_arguments_without_sense(arguments: dict[str, Any], message: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kept")
    (tmp_path / "full").mkdir()
    path = tmp_path / arguments.pop("path", "out")
    with pytest.raises(InvalidArgumentError) as raised:
        export_model(two_tables(), path, **arguments)
    assert message in str(raised.value)
    assert (tmp_path / "file").read_text() == "kept"


def test_a_folder_in_the_place_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "out" / "words.json").mkdir(parents=True)
    with pytest.raises(InvalidArgumentError, match=r"out/words\.json': it is a folder"):
        export_model(two_tables(), tmp_path / "out", "keras")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["words.json"]
    assert len(list(tmp_path.iterdir())) == 1


def test_packages_and_backends_that_are_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BackendError, match=r"pip install \"rowwise\[tensorflow\]\": then the back"):
        export_model(two_tables(), tmp_path / "out", "saved_model")
    monkeypatch.setattr(writing, "installed_backends", lambda: ["tensorflow", "torch"])
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    with pytest.raises(BackendError, match="torch cannot write a SavedModel; tensorflow and jax c"):
        export_model(two_tables(), tmp_path / "out", "saved_model")
    monkeypatch.undo()
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingExtraError, match=r"Writing ONNX needs .* \"rowwise\[export\]\""):
        export_model(two_tables(), tmp_path / "out", "onnx")
    assert not list(tmp_path.iterdir())


def test_a_table_that_is_pooled_at_once(predict_without_rowwise: Predict, tmp_path: Path) -> None:
    ids = keras.Input((3,), dtype="int32")
    model = Model(ids, EmbedReduce(9, 4, mask_zero=True, combiner="sqrtn", name="bag")(ids))
    export_model(model, tmp_path / "out", "safetensors")
    assert list(load_file(tmp_path / "out" / "tables.safetensors")) == ["bag"]
    export_model(model, tmp_path / "out", "keras")
    given = np.array([[1, 2, 0], [0, 0, 0]], dtype=np.int32)
    found = predict_without_rowwise(tmp_path / "out" / "model.keras", given)
    np.testing.assert_allclose(found, model.predict(given, verbose=0), atol=1e-6)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "model.keras",
        "tables.safetensors",
    }
