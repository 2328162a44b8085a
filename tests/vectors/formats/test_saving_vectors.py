"""Saving loses nothing: no file of another kind, no half of a pair, no words or subwords."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rowwise.errors import DataFileError, InvalidArgumentError
from rowwise.vectors import Vectors
from rowwise.vectors.subwords import BucketSubwords, ListedSubwords, Subwords


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


def test_npy_refuses_to_take_the_place_of_rows_as_text(tmp_path: Path) -> None:
    text = "a 1 2\nb 3 4\n"
    (tmp_path / "v.words.txt").write_text(text)
    np.save(tmp_path / "v.npy", np.zeros((2, 5)))  # as many rows as the text has lines
    with pytest.raises(InvalidArgumentError, match=r"v\.words\.txt', which is not the list"):
        Vectors.load(tmp_path / "v.words.txt").save(tmp_path / "v.npy")
    assert (tmp_path / "v.words.txt").read_text() == text


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
    with pytest.raises(InvalidArgumentError, match=f"{name}'.* is a folder"):
        two().save(tmp_path / name)
    assert os.listdir(tmp_path) == [name]


def test_no_reader_needs_pandas(tmp_path: Path) -> None:
    code = """
import sys
from rowwise.vectors import Vectors
for name in ("v.vec", "v.glove", "v.w2v", "v.safetensors", "v.npy", "v.fifu"):
    Vectors(["a", "b"], [[1.0], [2.0]]).save(name)
    assert Vectors.load(name).words == ("a", "b")
    assert "pandas" not in sys.modules, name
"""
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)


TABLE = np.random.default_rng(0).normal(size=(16, 2)).astype("float32")
SUBWORDS = {
    "fastText's": BucketSubwords(TABLE, minn=2, maxn=3, buckets=16),
    "fastText's, of one character": BucketSubwords(TABLE, minn=1, maxn=3, buckets=16),
    "finalfusion's": BucketSubwords(TABLE, minn=2, maxn=3, buckets=16, hash="finalfusion"),
    "with edges": BucketSubwords(TABLE, minn=1, maxn=1, buckets=16, edges=True),
    "an odd number of buckets": BucketSubwords(
        TABLE, minn=2, maxn=3, buckets=15, hash="finalfusion"
    ),
    "behind other rows": BucketSubwords(TABLE, minn=2, maxn=3, buckets=14, first=2),
    "pruned": BucketSubwords(
        TABLE, minn=1, maxn=3, buckets=99, index={n: n % 16 for n in range(0, 99, 2)}
    ),
    "listed": ListedSubwords(TABLE, {b"<st": 3, b"an": 1, b"ge>": 3, "\u732b".encode(): 2}, 2, 3),
}


@pytest.mark.parametrize("kind", SUBWORDS)
@pytest.mark.parametrize("name", ["v.safetensors", "v.fifu", "v.bin"])
def test_subwords_are_kept_or_refused(kind: str, name: str, tmp_path: Path) -> None:
    vectors = Vectors(["a", "b"], [[1.0, 2.0], [3.0, 4.0]], subwords=SUBWORDS[kind])
    path = tmp_path / name
    refusal = ""
    try:
        vectors.save(path, format="fasttext" if name == "v.bin" else None)
    except InvalidArgumentError as error:
        refusal = str(error)
    if refusal:
        assert "Save as .safetensors" in refusal
        assert os.listdir(tmp_path) == []
        assert name != "v.safetensors"
        return
    loaded = Vectors.load(path)
    for word in ("strange", "a", "", "\u732bs", "<>"):
        before, after = vectors.subwords.vector(word), loaded.subwords.vector(word)
        assert (before is None) == (after is None)
        assert before is None or np.allclose(before, after)


def test_subwords_that_no_format_knows_are_refused(tmp_path: Path) -> None:
    class Own(Subwords):
        def vector(self, word: str) -> None:
            return None

    with pytest.raises(InvalidArgumentError, match="type Own"):
        Vectors(["a"], [[1.0]], subwords=Own()).save(tmp_path / "v.safetensors")


def native(folder: Path, changed: dict, metadata: dict | None = None) -> Path:
    """A native file as an earlier version wrote it, with other tensors here and there."""
    from safetensors.numpy import save_file

    tensors = {
        "rows": np.eye(3, dtype="float32"),
        "words": np.frombuffer(b"abc", dtype="uint8"),
        "ends": np.arange(1, 4),
        "subword_rows": np.ones((2, 3), "float32"),
    }
    told = {"format": "rowwise vectors 1", "minn": "2", "maxn": "3", "buckets": "2"}
    save_file(tensors | changed, folder / "v.safetensors", metadata=told | (metadata or {}))
    return folder / "v.safetensors"


def test_native_files_that_were_written_before_still_load(tmp_path: Path) -> None:
    index = np.array([[1, 0], [5, 1]])
    vectors = Vectors.load(native(tmp_path, {"subword_index": index}, {"buckets": "9"}))
    assert vectors.words == ("a", "b", "c")
    assert vectors.report.odd == 0
    assert isinstance(vectors.subwords, BucketSubwords)
    assert vectors.subwords.index == {1: 0, 5: 1}
    assert (vectors.subwords.hash, vectors.subwords.edges) == ("fasttext", False)


FAULTS = [
    ({"subword_rows": np.ones(2, "float32")}, {}, "subwords"),
    ({"subword_rows": np.array(1, "float32")}, {}, "subwords"),
    ({"subword_rows": np.ones((2, 3, 1), "float32")}, {}, "subwords"),
    ({"subword_rows": np.ones((2, 4), "float32")}, {}, "4.* for 3 columns"),
    ({"subword_rows": np.ones((2, 3), "int32")}, {}, "subwords"),
    ({"subword_index": np.arange(4)}, {}, "list of pairs"),
    ({"subword_index": np.ones((2, 2), "float32")}, {}, "list of pairs"),
    ({}, {"hash": "other"}, "'other' is not known"),
    ({}, {"subwords": "other"}, "'other', and buckets or listed"),
    ({}, {"subwords": "listed"}, "ngrams"),
    ({}, {"minn": "few"}, "subwords"),
    ({}, {"words_crc32": "00000000"}, "another checksum"),
]


@pytest.mark.parametrize(("changed", "metadata", "message"), FAULTS)
def test_a_native_file_whose_parts_do_not_fit_is_refused(
    changed: dict, metadata: dict, message: str, tmp_path: Path
) -> None:
    with pytest.raises(DataFileError, match=f"v.safetensors' is damaged.*{message}"):
        Vectors.load(native(tmp_path, changed, metadata))


@pytest.mark.parametrize(
    ("words", "kept", "kind"),
    [(b"aab", ("a", "b"), "duplicates"), (b"\xffa\xfe", ("\ufffd", "a"), "undecodable")],
)
def test_words_that_another_tool_wrote_are_looked_at(
    words: bytes, kept: tuple, kind: str, tmp_path: Path
) -> None:
    vectors = Vectors.load(native(tmp_path, {"words": np.frombuffer(words, dtype="uint8")}))
    assert vectors.words == kept
    assert getattr(vectors.report, kind)
