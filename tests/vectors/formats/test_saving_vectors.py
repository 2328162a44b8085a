"""Saving loses nothing: no file of another kind, no half of a pair, no words or subwords."""

import os
from pathlib import Path

import numpy as np
import pytest

from rowwise.errors import InvalidArgumentError
from rowwise.vectors import Vectors


def two(first: str = "a") -> Vectors:
    return Vectors([first, "b"], [[1.0, 2.0], [3.0, 4.0]])


def test_npy_leaves_the_text_that_it_was_made_of(tmp_path: Path) -> None:
    two().save(tmp_path / "v.txt")
    before = (tmp_path / "v.txt").read_bytes()
    Vectors.load(tmp_path / "v.txt").save(tmp_path / "v.npy")
    assert (tmp_path / "v.txt").read_bytes() == before
    assert Vectors.load(tmp_path / "v.npy").words == ("a", "b")


def test_npy_files_of_one_family_have_words_of_their_own(tmp_path: Path) -> None:
    for columns, word in ((50, "fifty"), (100, "hundred")):
        two(word).save(tmp_path / f"glove.{columns}d.npy")
    assert Vectors.load(tmp_path / "glove.50d.npy").words == ("fifty", "b")
    assert Vectors.load(tmp_path / "glove.100d.npy").words == ("hundred", "b")


def test_npy_finds_words_that_others_put_beside_it(tmp_path: Path) -> None:
    np.save(tmp_path / "v.50d.npy", np.ones((2, 3)))
    (tmp_path / "v.50d.txt").write_text("x\ny\n")
    assert Vectors.load(tmp_path / "v.50d.npy").words == ("x", "y")


def test_npy_refuses_to_take_the_place_of_another_file(tmp_path: Path) -> None:
    notes = tmp_path / "v.words.txt"
    notes.write_text("my\nnotes\n")
    with pytest.raises(InvalidArgumentError, match=r"v\.words\.txt', which is not the list"):
        two().save(tmp_path / "v.npy")
    assert notes.read_text() == "my\nnotes\n"
    assert os.listdir(tmp_path) == ["v.words.txt"]


def test_npy_takes_the_place_of_an_older_pair(tmp_path: Path) -> None:
    two().save(tmp_path / "v.npy")
    Vectors(["x", "y", "z"], np.eye(3)).save(tmp_path / "v.npy")
    assert Vectors.load(tmp_path / "v.npy").words == ("x", "y", "z")
    assert sorted(os.listdir(tmp_path)) == ["v.npy", "v.words.txt"]


def test_an_npy_that_cannot_be_written_leaves_the_older_pair(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    two().save(tmp_path / "v.npy")

    def fail(*_: object, **__: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(np, "save", fail)
    with pytest.raises(OSError, match="disk full"):
        two("other").save(tmp_path / "v.npy")
    assert Vectors.load(tmp_path / "v.npy").words == ("a", "b")


@pytest.mark.parametrize("name", ["v.txt", "v.npy", "v.safetensors"])
def test_a_folder_in_the_way_is_named(name: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(InvalidArgumentError, match=f"{name}': it is a folder"):
        two().save(tmp_path / name)
    assert os.listdir(tmp_path) == [name]
