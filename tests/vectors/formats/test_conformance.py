"""What holds of every format: round trips, detection, choice of rows, broken files."""

import os
import shutil
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from conftest import WORDS, Case
from hypothesis import given
from hypothesis import strategies as st

from rowwise.errors import DataFileError, InvalidArgumentError, RowwiseError
from rowwise.text import Vocabulary
from rowwise.vectors import Vectors


def write(case: Case, vectors: Vectors, folder: Path) -> Path:
    path = folder / case.file
    vectors.save(path, format=case.name)
    return path


def test_what_was_saved_loads_exactly(case: Case, some: Vectors, tmp_path: Path) -> None:
    path = write(case, some, tmp_path)
    loaded = Vectors.load(path)
    assert loaded.words == some.words
    assert loaded.rows.dtype == np.float32
    assert np.array_equal(loaded.rows, some.rows)
    assert np.signbit(loaded.rows[0, 1])
    assert (loaded.report.format, loaded.report.rows) == (case.name, len(WORDS))
    assert loaded.report.odd == 0
    assert not [name for name in os.listdir(tmp_path) if name.endswith(".tmp")]


def test_the_format_is_told_by_content(unpacked_case: Case, some: Vectors, tmp_path: Path) -> None:
    path = write(unpacked_case, some, tmp_path)
    other = tmp_path / "other.parquet"
    path.rename(other)
    words = tmp_path / "v.words.txt" if unpacked_case.name == "npy" else None
    assert Vectors.load(other, words=words).report.format == unpacked_case.name


def test_a_member_of_a_zip_is_told_by_content(
    unpacked_case: Case, some: Vectors, tmp_path: Path
) -> None:
    path = write(unpacked_case, some, tmp_path)
    if path.is_dir():
        with pytest.raises(DataFileError, match="holds no vectors"):
            Vectors.load(tmp_path)
        return
    with zipfile.ZipFile(tmp_path / "v.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README", "Vectors that were made for a test.\n")
        archive.write(path, "inner/data")
    words = tmp_path / "v.words.txt" if unpacked_case.name == "npy" else None
    loaded = Vectors.load(tmp_path / "v.zip", words=words)
    assert loaded.words == some.words
    assert np.array_equal(loaded.rows, some.rows)
    assert (loaded.report.packed, loaded.report.member) == ("zip", "inner/data")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"limit": 3}, WORDS[:3]),
        ({"limit": 1000}, WORDS),
        ({"only": ["猫", "the", "no such word"]}, ["the", "猫"]),
        ({"only": {"猫", "the", "5"}, "limit": 4}, ["the", "猫"]),
        ({"only": {"猫", "the", "5"}, "limit": 2}, ["the"]),
        ({"only": Vocabulary(["é", '"'])}, ["é", '"']),
        ({"only": ["na", "the"], "lowercase": True}, ["the", "na"]),
        ({"lowercase": True}, [word.lower() for word in WORDS]),
        ({"only": []}, []),
    ],
)
def test_rows_are_chosen(
    case: Case, some: Vectors, tmp_path: Path, options: dict, expected: list[str]
) -> None:
    loaded = Vectors.load(write(case, some, tmp_path), **options)
    assert list(loaded.words) == expected
    assert loaded.rows.shape == (len(expected), 7)
    lower = [word.lower() if options.get("lowercase") else word for word in WORDS]
    assert np.array_equal(loaded.rows, some.rows[[lower.index(word) for word in expected]])


def test_limit_counts_rows_of_the_file(case: Case, tmp_path: Path) -> None:
    vectors = Vectors(["A", "a", "b", "c"], np.arange(8, dtype="float32").reshape(4, 2))
    path = write(case, vectors, tmp_path)
    assert Vectors.load(path, limit=2, lowercase=True).words == ("a",)
    assert Vectors.load(path, limit=3, lowercase=True).words == ("a", "b")
    none = Vectors.load(path, limit=2, only=["b", "c"])
    assert (none.words, none.report.notes[-1:]) == (
        (),
        ["None of the 2 words in `only` is there among the first 2."],
    )
    assert Vectors.load(path, limit=3, only=["b", "c"]).words == ("b",)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_numbers_are_as_asked_for(case: Case, some: Vectors, tmp_path: Path, dtype: str) -> None:
    rows = some.rows[1:].astype(dtype)
    path = tmp_path / case.file
    if dtype == "float64":
        rows = rows + 1e-12
    np.save(tmp_path / "rows.npy", rows)
    (tmp_path / "words").write_bytes("".join(f"{word}\n" for word in WORDS[1:]).encode())
    vectors = Vectors.load(tmp_path / "rows.npy", words=tmp_path / "words", dtype=dtype)
    if case.float32 and dtype == "float64":
        with pytest.warns(UserWarning, match="digits of float64 are lost"):
            vectors.save(path, format=case.name)
        rows = rows.astype("float32").astype("float64")
    else:
        vectors.save(path, format=case.name)
    loaded = Vectors.load(path, dtype=dtype)
    assert loaded.rows.dtype == dtype
    assert np.allclose(loaded.rows, rows, rtol=0, atol=1e-7 if case.float32 else 0)


ODD = ["new york", "a\tb", "line\nbreak", "nul\0", "cr\r", "", " "]


@pytest.mark.parametrize("word", ODD)
def test_an_odd_word_is_kept_or_refused(case: Case, word: str, tmp_path: Path) -> None:
    vectors = Vectors(["a", word, "b"], np.arange(6, dtype="float32").reshape(3, 2))
    path = tmp_path / case.file
    refusal = None
    try:
        vectors.save(path, format=case.name)
    except InvalidArgumentError as error:
        refusal = error
    if refusal is not None:
        assert "cannot hold the word" in str(refusal)
        assert os.listdir(tmp_path) == []
        assert case.words != "any"
    else:
        loaded = Vectors.load(path)
        assert loaded.words == vectors.words
        assert np.array_equal(loaded.rows, vectors.rows)


EXTREME = {
    "no rows": ([], (0, 3)),
    "no columns": (["a"], (1, 0)),
    "nothing": ([], (0, 0)),
    "a long word": (["a", "x" * 70_000], (2, 2)),
    "a longer word first": (["x" * 1_100_000, "a"], (2, 2)),
    "a byte order mark": (["\ufeffa", "b"], (2, 2)),
    "many columns": (["a", "b"], (2, 270_000)),
    "more columns": (["a"], (1, 500_000)),
    "digits": (["5", "a"], (2, 1)),
    "floret": (["50000", "a"], (2, 7)),
}


@pytest.mark.parametrize("kind", EXTREME)
def test_what_would_not_load_is_refused(unpacked_case: Case, kind: str, tmp_path: Path) -> None:
    words, shape = EXTREME[kind]
    vectors = Vectors(words, np.ones(shape, dtype="float32"))
    path = tmp_path / unpacked_case.file
    refusal = ""
    try:
        vectors.save(path, format=unpacked_case.name)
    except InvalidArgumentError as error:
        refusal = str(error)
    if refusal:
        assert "cannot hold" in refusal
        assert len(refusal) < 300
        assert os.listdir(tmp_path) == []
        assert unpacked_case.name not in ("rowwise", "npy")
        assert kind not in ("digits", "floret")
    else:
        loaded = Vectors.load(path)
        assert loaded.words == vectors.words
        assert np.array_equal(loaded.rows, vectors.rows)


def test_a_row_of_text_longer_than_what_formats_are_told_by(tmp_path: Path) -> None:
    row = " ".join(["1.0"] * 300_000)
    (tmp_path / "v").write_text(f"2 300000\na {row}\nb {row}\n")
    loaded = Vectors.load(tmp_path / "v")
    assert loaded.report.format == "word2vec-text"
    assert loaded.rows.min() == loaded.rows.max() == 1


def test_naughty_strings_survive(case: Case, shared_data: Path, tmp_path: Path) -> None:
    lines = (shared_data / "text" / "blns.txt").read_bytes().decode("utf-8").split("\n")
    words = list(dict.fromkeys(line for line in lines if line and "\r" not in line))
    if case.words != "any":
        forbidden = "\t\v\f" + (" " if case.words == "plain" else "")
        words = [word for word in words if not set(word) & set(forbidden)]
    assert len(words) > 100
    rows = np.random.default_rng(0).normal(size=(len(words), 3)).astype("float32")
    Vectors(words, rows).save(tmp_path / case.file, format=case.name)
    loaded = Vectors.load(tmp_path / case.file)
    assert list(loaded.words) == words
    assert np.array_equal(loaded.rows, rows)


@given(
    words=st.lists(
        st.text(
            st.characters(exclude_categories=["Cs"], exclude_characters="\n\r\t\v\f\0 "), min_size=1
        ),
        unique=True,
        min_size=1,
        max_size=5,
    ),
    columns=st.integers(1, 4),
    data=st.data(),
)
def test_any_words_and_numbers_survive(
    tmp_path_factory: pytest.TempPathFactory, words: list[str], columns: int, data: st.DataObject
) -> None:
    from conftest import CASES

    case = data.draw(st.sampled_from(CASES))
    numbers = st.floats(width=32, allow_nan=False)
    row = st.lists(numbers, min_size=columns, max_size=columns)
    rows = np.array(data.draw(st.lists(row, min_size=len(words), max_size=len(words))), "float32")
    folder = tmp_path_factory.mktemp("any")
    vectors = Vectors(words, rows)
    vectors.save(folder / case.file, format=case.name)
    loaded = Vectors.load(folder / case.file)
    assert loaded.words == vectors.words
    assert np.array_equal(loaded.rows, rows)


def test_a_file_cut_anywhere_is_vectors_or_an_error(unpacked_case: Case, tmp_path: Path) -> None:
    vectors = Vectors(["one", "two", "猫"], np.arange(6, dtype="float32").reshape(3, 2) / 3)
    path = write(unpacked_case, vectors, tmp_path)
    files = [path] if path.is_file() else sorted(path.iterdir())
    for file in files:
        whole = file.read_bytes()
        for length in range(len(whole)):
            file.write_bytes(whole[:length])
            try:
                loaded = Vectors.load(path)
            except RowwiseError:
                continue
            # Text may end early without being broken; no other word appears.
            assert loaded.rows.shape == (len(loaded), loaded.dimension)
            assert len(loaded) <= 3
        file.write_bytes(whole)
    assert Vectors.load(path).words == vectors.words


PROMISES = [
    ("word2vec text", b"1000000000000000000 2\na 1 2\n"),
    ("word2vec columns", b"1 1000000000000000000\na 1 2\n"),
    ("word2vec binary", b"1000000000000000000 2\na \0\0\0\0\0\0\0\0\n"),
    (
        "npy",
        b"\x93NUMPY\x01\x00\x76\x00{'descr': '<f4', 'fortran_order': False, 'shape': "
        b"(1000000000000000000, 4), }" + b" " * 38 + b"\n",
    ),
    (
        "finalfusion words",
        b"FiFu" + bytes(4) + b"\1\0\0\0\1\0\0\0\1\0\0\0" + b"\x08" + bytes(7) + b"\xff" * 7 + b"\0",
    ),
    (
        "fasttext",
        b"\xba\x16\x4f\x2f\x0c\0\0\0"
        + b"\1\0\0\0" * 12
        + bytes(8)
        + b"\xff\xff\xff\x7f\xff\xff\xff\x7f\0\0\0\0"
        + bytes(8)
        + b"\xff" * 8,
    ),
    (
        "safetensors",
        b"\x50\0\0\0\0\0\0\0"
        + b'{"rows":{"dtype":"F32","shape":[1000000000000,9],'
        b'"data_offsets":[0,36000000000]}}'.ljust(0x50),
    ),
    (
        "safetensors of infinite rows",
        b"\x50\0\0\0\0\0\0\0"
        + b'{"rows":{"dtype":"F32","shape":[Infinity,1e999],"data_offsets":[0,4]}}'.ljust(0x50),
    ),
    ("a zip of nothing", b"PK\x03\x04" + bytes(100)),
]


@pytest.mark.parametrize(("_", "content"), PROMISES, ids=[name for name, _ in PROMISES])
def test_a_promise_is_not_believed(_: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / "v").write_bytes(content)
    (tmp_path / "v.txt").write_bytes(b"a\n")
    tracemalloc.start()
    try:
        with pytest.raises(DataFileError):
            Vectors.load(tmp_path / "v")
        assert tracemalloc.get_traced_memory()[1] < 32 * 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("packing", ["gz", "bz2", "xz", "zst", "zip"])
def test_what_unpacks_without_end_is_refused(
    packing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rowwise.vectors.formats import packed

    monkeypatch.setattr(packed, "HARMLESS_BYTES", 2**20)
    content = b"a 0 0\n" * (2**23 // 6)
    path = tmp_path / f"v.{packing}"
    if packing == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            archive.writestr("v.txt", content)
    else:
        name = packed.SUFFIXES[path.suffix]
        with path.open("wb") as file, packed.packer(file, name) as stream:
            stream.write(content)
    assert len(content) > 200 * path.stat().st_size
    with pytest.raises(DataFileError, match="unpacks to more than"):
        Vectors.load(path)


@pytest.mark.parametrize("packing", ["gz", "bz2", "xz", "zst"])
def test_a_packed_file_cut_anywhere_is_an_error(
    packing: str, some: Vectors, tmp_path: Path
) -> None:
    path = tmp_path / f"v.vec.{packing}"
    some.save(path)
    whole = path.read_bytes()
    for length in [*range(1, 40), len(whole) // 2, len(whole) - 9]:
        path.write_bytes(whole[:length])
        with pytest.raises(DataFileError):
            Vectors.load(path)


def test_saving_takes_the_place_of_a_folder_file_by_file(some: Vectors, tmp_path: Path) -> None:
    target = tmp_path / "folder"
    target.mkdir()
    (target / "notes.md").write_text("mine")
    some.save(target, format="model2vec")
    some.save(target, format="model2vec")
    assert (target / "notes.md").read_text() == "mine"
    assert Vectors.load(target).words == some.words
    shutil.rmtree(target)
    target.write_text("a file")
    with pytest.raises(InvalidArgumentError, match="is a file"):
        some.save(target, format="model2vec")
