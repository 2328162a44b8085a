"""Folders of model2vec: model2vec itself opens what was written, and what is damaged is named."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from model2vec import StaticModel

from rowwise.errors import DataFileError
from rowwise.vectors import Vectors

WORDS = ["the", "cat", "!", "new york", "sat,down", "don't"]
ROWS = np.array([[1, 2], [3, 4], [8, 8], [5, 5], [6, 6], [7, 0]], dtype="float32")


def saved(vectors: Vectors, folder: Path) -> StaticModel:
    vectors.save(folder, format="model2vec")
    return StaticModel.from_pretrained(folder)


def made(vectors: Vectors, folder: Path) -> StaticModel:
    return vectors.to_model2vec()


BOTH = pytest.mark.parametrize("make", [saved, made])


@BOTH
@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("the", [1, 2]),
        ("the cat", [2, 3]),
        ("the cat unheard", [2, 3]),
        ("cat!", [5.5, 6]),
        ("in new york!", [6.5, 6.5]),
        ("new yorkers", [0, 0]),
        ("sat,down", [6, 6]),
        ("the don't", [4, 1]),
        ("", [0, 0]),
    ],
)
def test_a_text_is_the_mean_of_its_words(
    make: Callable[[Vectors, Path], StaticModel], text: str, row: list[float], tmp_path: Path
) -> None:
    model = make(Vectors(WORDS, ROWS), tmp_path / "m")
    assert model.encode(text).tolist() == row
    assert Vectors.from_model2vec(model).words == tuple(WORDS)


@BOTH
def test_an_unknown_token_of_the_words_is_kept(
    make: Callable[[Vectors, Path], StaticModel], tmp_path: Path
) -> None:
    vectors = Vectors(["[UNK]", "cat"], [[9, 9], [1, 2]])
    model = make(vectors, tmp_path / "m")
    assert model.encode("cat dog").tolist() == [1, 2], "the unknown token is in no mean"
    back = Vectors.from_model2vec(model)
    assert (back.words, back.rows.tolist()) == (vectors.words, vectors.rows.tolist())


def test_what_model2vec_saves_again_has_the_same_words(tmp_path: Path) -> None:
    saved(Vectors(WORDS, ROWS), tmp_path / "one").save_pretrained(tmp_path / "two")
    again = Vectors.load(tmp_path / "two")
    assert again.words == tuple(WORDS)
    assert np.array_equal(again.rows, ROWS)


def vocabulary(**ids: Any) -> dict[str, Any]:
    return {"model": {"vocab": ids}}


@pytest.mark.parametrize(
    ("tokenizer", "message"),
    [
        (vocabulary(a=float("inf"), b=1), "the token 'a' has the id inf"),
        (vocabulary(a=0.0, b=1), "the token 'a' has the id 0.0"),
        (vocabulary(a="0", b=1), "the token 'a' has the id '0'"),
        (vocabulary(a=0, b=True), "the token 'b' has the id True"),
        (vocabulary(a=0, b=2), "have gaps"),
        ({**vocabulary(a=0), "added_tokens": [{"content": "b", "id": float("inf")}]}, "id inf"),
        ({"model": {"vocab": [[["a"], 0], ["b", 0]]}}, "no tokenizer as expected"),
        ([], "no tokenizer as expected"),
    ],
)
def test_a_damaged_tokenizer_is_named(tokenizer: Any, message: str, tmp_path: Path) -> None:
    Vectors(["a", "b"], np.eye(2)).save(tmp_path / "m", format="model2vec")
    (tmp_path / "m" / "tokenizer.json").write_text(json.dumps(tokenizer), encoding="utf-8")
    with pytest.raises(DataFileError, match=message):
        Vectors.load(tmp_path / "m")


@pytest.mark.parametrize("config", [None, "[]", '{"rowwise_added_unknown": 1}'])
def test_a_configuration_that_says_nothing(config: str | None, tmp_path: Path) -> None:
    Vectors(["a", "[UNK]"], np.eye(2)).save(tmp_path / "m", format="model2vec")
    (tmp_path / "m" / "config.json").unlink()
    if config is not None:
        (tmp_path / "m" / "config.json").write_text(config, encoding="utf-8")
    assert Vectors.load(tmp_path / "m").words == ("a", "[UNK]")


def test_a_damaged_configuration_is_named(tmp_path: Path) -> None:
    Vectors(["a"], [[1.0]]).save(tmp_path / "m", format="model2vec")
    (tmp_path / "m" / "config.json").write_text("{", encoding="utf-8")
    with pytest.raises(DataFileError, match=r"config\.json' is not JSON"):
        Vectors.load(tmp_path / "m")


def test_a_file_is_no_folder_of_model2vec(tmp_path: Path) -> None:
    (tmp_path / "v.txt").write_text("a 1 2\n")
    with pytest.raises(DataFileError, match="no folder of model2vec: expected a folder with"):
        Vectors.load(tmp_path / "v.txt", format="model2vec")
