"""Any bytes give vectors or an error of rowwise."""

import base64
import struct
import tracemalloc
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
from conftest import CASES, Case
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from rowwise.errors import DataFileError, RowwiseError
from rowwise.vectors import Vectors

STARTS = [
    b"",
    b"2 2\n",
    b"a 1 2\n",
    b"FiFu\0\0\0\0\2\0\0\0",
    struct.pack("<2i", 793712314, 12),
    b"\x93NUMPY\x01\x00",
    b"\x10\0\0\0\0\0\0\0{",
    b"\x80\x04\x95",
    b"PK\x03\x04",
    b"\x1f\x8b\x08",
    b"BZh9",
    b"\xfd7zXZ\0",
    b"\x28\xb5\x2f\xfd",
    b"1\t2\n3\t4\n",
]
UNPACKED = [case for case in CASES if case.file.count(".") == 1]


def attempt(folder: Path, content: bytes) -> None:
    """Load it and look at everything; an error of rowwise is fine, and no other."""
    path = folder / "any"
    path.write_bytes(content)
    (folder / "any.words.txt").write_bytes(b"one\ntwo\nthree\n")
    tracemalloc.start()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            vectors = Vectors.load(path, unpickle=True)
        assert vectors.rows.shape == (len(vectors.words), vectors.dimension)
        assert len(set(vectors.words)) == len(vectors.words)
        for word in vectors.words[:3]:
            assert vectors[word].shape == (vectors.dimension,)
        if vectors.subwords is not None:
            vectors.subwords.vector("strange")
    except RowwiseError:
        pass
    finally:
        memory = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert memory < 64 * 2**20


@given(st.sampled_from(STARTS), st.binary(max_size=200))
@settings(max_examples=300)
def test_any_bytes(tmp_path_factory: pytest.TempPathFactory, start: bytes, rest: bytes) -> None:
    attempt(tmp_path_factory.mktemp("any"), start + rest)


@given(
    st.lists(
        st.one_of(
            st.sampled_from(
                [b"a", b" ", b"\n", b"1", b"-0.5e3", b"\t", b"\r", b"\xff", b"nan", b"\0"]
            ),
            st.binary(max_size=3),
        ),
        max_size=40,
    )
)
@settings(max_examples=300)
@example([b"1", b" ", b"1", b"\n", b"\xef\xbb\xbf", b" ", b"1", b"\n"])
def test_any_text(tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes]) -> None:
    attempt(tmp_path_factory.mktemp("any"), b"".join(pieces))


@pytest.mark.parametrize("case", UNPACKED, ids=lambda case: f"{case.name}-{case.file}")
@given(data=st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_files_with_other_bytes_here_and_there(
    case: Case, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("changed")
    vectors = Vectors(["one", "zwei", "猫"], np.arange(6, dtype="float32").reshape(3, 2))
    vectors.save(folder / case.file, format=case.name)
    content = bytearray((folder / case.file).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] = data.draw(st.sampled_from([0, 1, 127, 128, 255, 32, 10, 57]))
    attempt(folder, bytes(content))


# What the fuzzer once found, in base64.
FOUND = {
    "fastText with rows of no columns": ""
    "uhZPLwwAAAAAAAAAAAAAAAAAAAAAAAAAAAAzIHHKAAAFAAAAAgAAAAUAAAABAAAABQAAAAHPS1Uw1Ksz"
    "UDABAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAIAAAACAAAAAAAAAAAQAAAAAAAAAAAAAAAAAAAAAGQAugoWTy8MAAAAAgAAAAUAAAAFAAD8AAEA"
    "AAAFAAAAAQAAAC1DHOviNho/",
}


@pytest.mark.parametrize("name", FOUND)
def test_what_was_found_once(name: str, tmp_path: Path) -> None:
    content = base64.b64decode(FOUND[name])
    attempt(tmp_path, content)


def zipped(path: Path, **members: bytes) -> bytearray:
    """A zip whose members are stored as they are; so their bytes can be found and changed."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return bytearray(path.read_bytes())


def test_a_damaged_member_of_a_zip_is_an_error(tmp_path: Path) -> None:
    content = zipped(tmp_path / "v.zip", data=b"a 1 2\nb 3 4\n")
    content[content.index(b"a 1 2")] ^= 1
    (tmp_path / "v.zip").write_bytes(content)
    for member in (None, "data", 2):
        with pytest.raises(DataFileError, match=r"data' is damaged.*CRC"):
            Vectors.load(tmp_path / "v.zip", member=member)


def test_a_damaged_member_beside_vectors_does_no_harm(tmp_path: Path) -> None:
    content = zipped(tmp_path / "v.zip", README=b"prose", data=b"a 1 2\nb 3 4\n")
    content[content.index(b"prose")] ^= 1
    (tmp_path / "v.zip").write_bytes(content)
    assert Vectors.load(tmp_path / "v.zip").words == ("a", "b")


def test_a_member_without_a_name_is_no_member(tmp_path: Path) -> None:
    content = zipped(tmp_path / "v.zip", N=b"prose", data=b"a 1 2\nb 3 4\n")
    directory = content.index(b"PK\x01\x02")
    # The first entry of the directory: no name, and a comment in its place.
    content[directory + 28], content[directory + 32] = 0, 1
    (tmp_path / "v.zip").write_bytes(content)
    with zipfile.ZipFile(tmp_path / "v.zip") as archive:
        assert archive.namelist() == ["", "data"]
    assert Vectors.load(tmp_path / "v.zip").words == ("a", "b")


# Lines of a text file: each odd in one way.
ODD = b"".join(
    [
        b"the 1 2\n",  # 1
        b"new york 3 4\n",  # 2: spaced
        b"caf\xe9 5 6\n",  # 3: undecodable
        b"the 7 8\n",  # 4: duplicate
        b"short 1\n",  # 5: malformed
        b"\n",  # 6: empty
        b"word 1 two\n",  # 7: malformed
        b"caf\xe8 1 1\n",  # 8: undecodable, and then the same as line 3
        *(b"w%d 0 1\n" % number for number in range(40)),
        b"last 9 9",
    ]
)


def test_the_report_says_what_was_odd_and_where(tmp_path: Path) -> None:
    (tmp_path / "v").write_bytes(ODD)
    with pytest.warns(UserWarning, match="2 malformed rows were left out; the first is line 5"):
        vectors = Vectors.load(tmp_path / "v")
    report = vectors.report
    assert list(vectors.words[:3]) == ["the", "new york", "caf\ufffd"]
    assert vectors.words[-1] == "last"
    assert vectors["the"].tolist() == [1, 2]
    assert list(report.spaced) == [(2, "new york")]
    assert list(report.undecodable) == [(3, "caf\ufffd"), (8, "caf\ufffd")]
    assert list(report.duplicates) == [(4, "the"), (8, "caf\ufffd")]
    assert [line for line, _ in report.malformed] == [5, 7]
    assert (report.rows, report.columns, report.odd) == (len(vectors), 2, 7)
    assert "spaced: 1 (line 2: 'new york')" in str(report)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"new york 3 4\n", "line 2: the word 'new york' holds a separator"),
        (b"caf\xe9 5 6\n", "line 2: the word 'caf\ufffd' is not UTF-8"),
        (b"the 7 8\n", "line 2: the word 'the' has a row already"),
        (b"short 1\n", "line 2: expected a word and 2 numbers, found 2 fields"),
        (b"word 1 two\n", "line 2: the last 2 fields of a line must be numbers"),
    ],
)
def test_strict_makes_an_error_of_it(line: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "v").write_bytes(
        b"the 1 2\n" + line + b"".join(b"w%d 0 1\n" % i for i in range(30))
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert len(Vectors.load(tmp_path / "v")) >= 31
    with pytest.raises(DataFileError, match=message):
        Vectors.load(tmp_path / "v", strict=True)


def test_strict_tells_of_the_first_odd_row_of_any_kind(tmp_path: Path) -> None:
    lines = [b"the 1 2", b"the 3 4", b"new york 5 6", b"caf\xe9 5 6", b"short 1"]
    for odd in range(1, len(lines)):
        rest = b"\n".join([lines[0], *lines[odd:]])
        (tmp_path / "v").write_bytes(rest)
        with pytest.raises(DataFileError, match="line 2"):
            Vectors.load(tmp_path / "v", strict=True)


def test_one_broken_row_is_one_of_all_lines_also_with_only(tmp_path: Path) -> None:
    (tmp_path / "v").write_bytes(b"".join(b"w%d 1 2\n" % i for i in range(3000)) + b"bad 1\n")
    for only in (["w1", "bad"], ["bad"]):
        with pytest.warns(UserWarning, match="1 malformed rows were left out; .* line 3001"):
            vectors = Vectors.load(tmp_path / "v", only=only)
        assert list(vectors.words) == only[:-1]


def test_one_broken_row_among_the_first_is_left_out_also_with_limit(tmp_path: Path) -> None:
    (tmp_path / "v").write_bytes(b"a 1 2\nbad 1\n" + b"".join(b"w%d 1 2\n" % i for i in range(99)))
    with pytest.warns(UserWarning, match="1 malformed rows were left out"):
        assert Vectors.load(tmp_path / "v", limit=3).words == ("a", "w0")


def test_prose_is_no_file_of_vectors_in_part_either(tmp_path: Path) -> None:
    (tmp_path / "v").write_text("It was a dark night in 1830\nand it rained\nfor hours\n" * 100)
    for part in ({"only": ["It", "and"]}, {"only": ["soup"]}, {"limit": 2}):
        with pytest.raises(DataFileError, match="Is this a file of word vectors"):
            Vectors.load(tmp_path / "v", **part)


def test_limit_counts_lines_that_are_not_empty(tmp_path: Path) -> None:
    (tmp_path / "v").write_bytes(b"a 1 2\n\n \r\na 3 4\nb 5 6\nbad 1\nc 7 8\n" + b"d 1 1\n" * 30)
    for limit, words in ((1, "a"), (2, "a"), (3, "ab")):
        assert Vectors.load(tmp_path / "v", limit=limit).words == tuple(words)
    with pytest.warns(UserWarning, match="malformed"):
        assert Vectors.load(tmp_path / "v", limit=20).words == tuple("abcd")


def test_a_table_of_floret_is_refused_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "v").write_text("2 3 4 5 2 2166136261 < >\n0 1 2 3\n1 4 5 6\n")
    with pytest.raises(DataFileError, match="is a table of floret"):
        Vectors.load(tmp_path / "v")


@pytest.mark.parametrize("word", ["new york", "caf\ufffd", "the", "w7"])
def test_only_finds_odd_words(word: str, tmp_path: Path) -> None:
    (tmp_path / "v").write_bytes(ODD)
    assert Vectors.load(tmp_path / "v", only=[word]).words == (word,)


def test_blocks_of_any_size_give_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from rowwise.vectors.formats import text

    (tmp_path / "v").write_bytes(ODD)
    with pytest.warns(UserWarning, match="malformed"):
        whole = Vectors.load(tmp_path / "v")
    for size in (1, 7, 30, 100):
        monkeypatch.setattr(text, "BLOCK_BYTES", size)
        with pytest.warns(UserWarning, match="malformed"):
            parts = Vectors.load(tmp_path / "v")
        assert parts.words == whole.words
        assert np.array_equal(parts.rows, whole.rows)
        assert parts.report == whole.report


def test_oddities_of_glove_840b_and_twitter(tmp_path: Path) -> None:
    words = [
        ". . .",
        "at name@domain.com",
        "\u00a0",
        "\x85",
        "\u2028",
        "\u3000",
        '"',
        "'",
        "\ufeff",
    ]
    content = "".join(f"{word} 0.1 -0.2 3e-05\n" for word in words).encode()
    (tmp_path / "v").write_bytes(b"the 1 2 3\n" + content + b"<unk> 0.5 0.5 0.5\n")
    assert list(Vectors.load(tmp_path / "v").words) == ["the", *words, "<unk>"]


@pytest.mark.parametrize(
    "header", ["1 2", "5 2"], ids=["fewer rows announced", "more rows announced"]
)
def test_a_header_that_counts_wrongly(header: str, tmp_path: Path) -> None:
    (tmp_path / "v").write_text(f"{header}\na 1 2\nb 3 4\n")
    if header == "1 2":
        vectors = Vectors.load(tmp_path / "v")
        assert len(vectors) == 2
        assert "announces 1 word, and 2 follow" in vectors.report.notes[0]
    else:
        with pytest.raises(DataFileError, match=r"cut short.*announces 5 words, and 2 follow"):
            Vectors.load(tmp_path / "v")
        assert len(Vectors.load(tmp_path / "v", limit=2)) == 2


def test_columns_that_no_row_bears_out_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "v.npy", np.empty((0, 2**40), "float32"))
    (tmp_path / "v.txt").write_bytes(b"")
    with pytest.raises(DataFileError, match=r"promises 1,099,511,627,776 columns and holds no row"):
        Vectors.load(tmp_path / "v.npy")
