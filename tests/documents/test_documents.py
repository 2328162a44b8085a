"""Everything in the three documents runs, and prints what they say it prints.

The code is read from the documents when the tests run. Only the imports of Keras are replaced,
and the few blocks that could not run as printed are mended as ``REPAIRS`` says.
"""

from collections.abc import Callable
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
from blocks import Block, fenced_blocks, notebook_blocks, read, unfenced_blocks, with_rowwise

from rowwise import keras

GLOVE_WORDS = ("love", "great", "this", "product", "the", "king", "movie", "terrible")


@dataclass(frozen=True)
class Repair:
    """The smallest change with which a block runs: code put before it, or text replaced in it."""

    why: str
    before: str = ""
    replace: tuple[str, str] = ("", "")


REPAIRS: dict[tuple[str, str], Repair] = {
    ("000", "fence 2"): Repair("np is not imported yet", before="import numpy as np\n"),
    ("000", "fence 12"): Repair(
        "create_model, X_train and y_train are not defined",
        before="""\
def create_model(trainable):
    model = keras.Sequential([
        layers.Embedding(1000, 64, input_length=10, trainable=trainable),
        layers.LSTM(32),
        layers.Dense(1, activation='sigmoid')
    ])
    model.compile(optimizer='adam', loss='binary_crossentropy', metrics=['accuracy'])
    return model

X_train, y_train = X, y
""",
    ),
    ("000", "fence 16"): Repair(
        "t-SNE's perplexity of 30 needs more than eight words, and the plot indexes all eight",
        before="tokenizer.fit_on_texts(['love hate good bad amazing terrible great awful'])\n",
        replace=("random_state=42", "random_state=42, perplexity=5"),
    ),
    ("000", "fence 20"): Repair(
        "the model was never built, and the tip on dimensions has set embedding_dim to 10",
        before="model.build((None, 20))\nembedding_dim = 128\n",
    ),
}

Namespace = dict[str, Any]
Check = Callable[[Namespace, str], bool]


def _encoded_shape(names: Namespace, _: str) -> bool:
    lengths = [len(ids) for ids in names["encoded_reviews"]]
    in_range = all(0 < i < 50 for ids in names["encoded_reviews"] for i in ids)
    return in_range and lengths == [3, 2, 2, 2, 2, 1, 2, 1, 2, 4]


def _padded_shape(names: Namespace, _: str) -> bool:
    lengths = (names["padded_reviews"] != 0).sum(axis=1).tolist()
    return names["padded_reviews"].shape == (10, 4) and lengths == [3, 2, 2, 2, 2, 1, 2, 1, 2, 4]


def _two_phases(names: Namespace, _: str) -> bool:
    model = names["model"]
    return model.layers[0].trainable and round(float(model.optimizer.learning_rate), 9) == 1e-5


def _saved_and_loaded(names: Namespace, _: str) -> bool:
    table = names["model"].get_weights()[0]
    copies = (names["loaded_embeddings"], names["loaded_model"].get_weights()[0])
    return all(np.array_equal(copy, table) for copy in copies)


# What a block has to do, beside running: text that it prints and that the document says it
# prints (in words of ours where the document's own holds random numbers), or a function of the
# names it leaves and of what it printed.
PRINTS: dict[tuple[str, str], tuple[str, ...]] = {
    ("001", "In [2]"): ("(None, 2, 4)", "Total params: 40", "embedding (Embedding)"),
    ("001", "In [3]"): ("(1, 2)",),
    ("001", "In [6]"): ("(1, 2)\n[[[1. 0. 0.]\n  [0. 1. 0.]]]",),
    ("001", "In [11]"): (
        "(None, 4, 8)",
        "400",
        "(None, 32)",
        "(None, 1)",
        "33",
        "Total params: 433",
        "None",
    ),
    ("001", "In [13]"): ("(50, 8)",),
    ("001", "In [14]"): ("Accuracy: 1.0",),
    ("001", "In [15]"): ("Log-loss: 0.",),
}
CHECKS: dict[tuple[str, str], Check] = {
    ("000", "fence 5"): lambda names, _: (
        tuple(names["embedding"](np.zeros(names["input_shape"], int)).shape)
        == names["output_shape"]
    ),
    ("000", "fence 6"): lambda names, out: (
        names["embedding_matrix"].shape == (1000, 64)
        and "Learned embedding for word 'love'" in out
        and "Epoch 50/50" in out
    ),
    ("000", "fence 7"): lambda _, out: f"Loaded {len(GLOVE_WORDS)} word vectors" in out,
    ("000", "fence 8"): lambda names, out: (
        f"Embedding matrix shape: ({len(names['tokenizer'].word_index) + 1}, 100)" in out
    ),
    ("000", "fence 9"): lambda names, _: np.allclose(
        names["model"].layers[0].get_weights()[0], names["embedding_matrix"]
    ),
    ("000", "fence 12"): _two_phases,
    ("000", "fence 13"): lambda names, out: (
        "Sentiment: " in out
        and np.allclose(names["model"].get_weights()[-1].shape, (1,))
        and np.allclose(names["model"].layers[0].get_weights()[0], names["embedding_matrix"])
    ),
    ("000", "fence 16"): lambda names, _: names["embeddings_2d"].shape == (8, 2),
    ("000", "fence 17"): lambda names, _: names["embedding_dim"] == 10,
    ("000", "fence 20"): _saved_and_loaded,
    ("001", "In [3]"): lambda names, _: np.array_equal(
        names["pred"][0], names["embedding_layer"].get_weights()[0][[1, 2]]
    ),
    ("001", "In [4]"): lambda names, _: names["embedding_layer"].get_weights()[0].shape == (10, 4),
    ("001", "In [9]"): _encoded_shape,
    ("001", "In [10]"): _padded_shape,
    ("002", "listing"): lambda names, out: (
        out.count("Epoch 10/10") == 2
        and np.allclose(names["model"].layers[0].get_weights()[0], names["embedding_matrix"])
        and names["embedding_matrix"].any()
    ),
}
DOCUMENTS = [
    ("000", fenced_blocks, 20),
    ("001", notebook_blocks, 15),
    ("002", unfenced_blocks, 1),
]


@pytest.fixture
def documents(shared_data: Path) -> Path:
    return shared_data.parent / "documents"


@pytest.fixture
def workplace(tmp_path: Path) -> Path:
    """A folder with the file that the documents download: words and 100 columns each."""
    rows = np.random.default_rng(0).normal(size=(len(GLOVE_WORDS), 100))
    lines = [
        f"{word} {' '.join(f'{x:.5f}' for x in row)}\n"
        for word, row in zip(GLOVE_WORDS, rows, strict=True)
    ]
    (tmp_path / "glove.6B.100d.txt").write_text("".join(lines), encoding="utf-8")
    return tmp_path


def run_document(
    name: str, blocks: list[Block], folder: Path, capsys: pytest.CaptureFixture[str]
) -> Namespace:
    """Run the blocks one after the other and check each; the names that they leave."""
    # Showing a plot without a screen is no part of the documents' claims.
    matplotlib.use("template")
    keras.utils.set_random_seed(1)
    keras.backend.clear_session()
    names: Namespace = {"__name__": "__document__"}
    with chdir(folder):
        for block in blocks:
            key = (name, block.name)
            repair = REPAIRS.get(key, Repair(""))
            assert not repair.replace[0] or repair.replace[0] in block.code
            code = repair.before + with_rowwise(block.code).replace(*repair.replace)
            exec(compile(code, f"document {name}, {block.name}", "exec"), names)
            printed = capsys.readouterr().out
            for text in PRINTS.get(key, ()):
                assert text in block.after, f"{key}: the document does not say {text!r}"
                assert _seen(text) in _seen(printed), f"{key} does not print {text!r}: {printed}"
            assert CHECKS.get(key, lambda *_: True)(names, printed), f"{key} printed: {printed}"
    return names


def _seen(text: str) -> str:
    """Text without the marks of tables, which Keras draws in another style today."""
    return " ".join(text.translate(str.maketrans("┃│─━├┤", "      ")).split())


@pytest.mark.parametrize(("name", "cut", "count"), DOCUMENTS, ids=[d[0] for d in DOCUMENTS])
def test_every_block_runs_and_prints_what_the_document_says(
    name: str,
    cut: Callable[[str], list[Block]],
    count: int,
    documents: Path,
    workplace: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    blocks = cut(read(documents, name))
    assert len(blocks) == count
    run_document(name, blocks, workplace, capsys)
    named = {block.name for block in blocks}
    mine = [key for key in (*REPAIRS, *PRINTS, *CHECKS) if key[0] == name]
    assert {key[1] for key in mine} <= named, "a table names a block that is not there"
    print(f"\ndocument {name}: {count} blocks ran")
    for (document, block), repair in REPAIRS.items():
        if document == name:
            print(f"  {block} repaired: {repair.why}")


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_the_documents_models_save_and_load(
    suffix: str, documents: Path, workplace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = run_document("001", notebook_blocks(read(documents, "001")), workplace, capsys)
    path = workplace / f"model{suffix}"
    names["model"].save(path)
    loaded = keras.models.load_model(path)
    ids = names["padded_reviews"]
    expected = names["model"].predict(ids, verbose=0)
    assert np.array_equal(loaded.predict(ids, verbose=0), expected)
    again = loaded.evaluate(ids, names["labels"], verbose=0)
    assert again == pytest.approx([names["loss"], names["accuracy"]], rel=1e-6)
