"""Counting files: every format gives what is counted in memory, and names the same faults."""

import csv
import gzip
import io
import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from text_corpora import CORPORA

from rowwise.errors import DataFileError, InvalidArgumentError, InvalidTextError
from rowwise.text import (
    Splitter,
    Tokenizer,
    Vocabulary,
    WordCounts,
    count_words,
    csv_rows,
    read_examples,
    read_texts,
)
from rowwise.text.counting import blocks, files, parts
from rowwise.text.counting import texts as counted_texts
from rowwise.text.tokenizer import TABLES

REAL = [
    ("labelled/pros_cons.csv", "text"),
    ("labelled/sentences.csv", "text"),
    ("labelled/sms.tsv", "2"),
    ("labelled/banking77/train.csv", "text"),
    ("text/blns.txt", None),
    ("similarity/questions-words.txt", None),
]


def cut_small(patch: pytest.MonkeyPatch, block: int, part: int) -> None:
    patch.setattr(blocks, "BLOCK_BYTES", block)
    patch.setattr(files, "LEAST_PART_BYTES", part)
    patch.setattr(files, "MOST_PART_BYTES", part)


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of some bytes, and parts of some more."""
    cut_small(monkeypatch, 7, 19)


def texts_in(path: Path, text: str | None) -> list[str]:
    return read_texts(path) if text is None else read_examples(path, text=text).texts


def csv_of(rows: list[list[str]], ending: str = "\n") -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator=ending, quoting=csv.QUOTE_ALL).writerows(rows)
    return buffer.getvalue().encode()


def write_plain(path: Path, texts: list[str]) -> None:
    path.write_bytes("".join(f"{text}\n" for text in texts).encode())


def write_crlf(path: Path, texts: list[str]) -> None:
    path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(texts).encode())


def write_csv(path: Path, texts: list[str]) -> None:
    path.write_bytes(csv_of([["id", "text"], *([str(i), text] for i, text in enumerate(texts))]))


def write_tsv(path: Path, texts: list[str]) -> None:
    rows = [f"{text}\t{i}\n\n" for i, text in enumerate(texts)]
    path.write_text("\n\ntext\tid\n" + "".join(rows), "utf-8")


def write_tsv_column(path: Path, texts: list[str]) -> None:
    path.write_text("\n".join(["text", *texts]), "utf-8")


def write_jsonl(path: Path, texts: list[str]) -> None:
    lines = [json.dumps({"id": i, "text": text}) + "\n \n" for i, text in enumerate(texts)]
    path.write_text("\n" + "".join(lines), "utf-8")


def write_parquet(path: Path, texts: list[str]) -> None:
    table = pa.table({"id": list(range(len(texts))), "text": pa.array(texts, pa.string())})
    pq.write_table(table, path, row_group_size=3)


def packed(write: Callable[[Path, list[str]], None]) -> Callable[[Path, list[str]], None]:
    def write_packed(path: Path, texts: list[str]) -> None:
        write(path, texts)
        path.write_bytes(gzip.compress(path.read_bytes()))

    return write_packed


WRITERS: dict[str, tuple[str, Callable[[Path, list[str]], None], str | None]] = {
    "plain": ("a.txt", write_plain, None),
    "crlf": ("a.log", write_crlf, None),
    "packed": ("a.txt.gz", packed(write_plain), None),
    "csv": ("a.csv", write_csv, "text"),
    "packed csv": ("a.csv.gz", packed(write_csv), "text"),
    "tsv": ("a.tsv", write_tsv, "text"),
    "packed tsv": ("a.tab.gz", packed(write_tsv), "text"),
    "tsv of one column": ("a.tsv", write_tsv_column, "text"),
    "jsonl": ("a.jsonl", write_jsonl, "text"),
    "packed jsonl": ("a.json.gz", packed(write_jsonl), "text"),
    "parquet": ("a.parquet", write_parquet, "text"),
}
LINES = st.lists(
    st.text(st.sampled_from('ab cé東"\u2028,😞'), max_size=12), min_size=1, max_size=12
).filter(lambda lines: any(map(str.strip, lines)))


@pytest.mark.parametrize("kind", WRITERS)
@given(LINES, st.integers(1, 40), st.integers(1, 60))
def test_every_format(
    kind: str, tmp_path_factory: pytest.TempPathFactory, texts: list[str], block: int, part: int
) -> None:
    name, write, text = WRITERS[kind]
    path = tmp_path_factory.mktemp("count") / name
    write(path, texts)
    expected = texts_in(path, text)
    with pytest.MonkeyPatch.context() as patch:
        cut_small(patch, block, part)
        found = count_words(path, text=text)
        assert Vocabulary.count(path, text=text) == Vocabulary.build(expected)
        cut_small(patch, 1 << 20, 1 << 20)
        # Places are bytes, lines and rows, however the file is cut.
        assert count_words(path, text=text) == found
    once = WordCounts.from_texts(expected)
    assert (found.words, found.texts) == (once.words, once.texts)
    assert found.counts.tolist() == once.counts.tolist()
    assert found.text_counts.tolist() == once.text_counts.tolist()


@pytest.mark.usefixtures("small_parts")
@given(
    st.lists(st.sampled_from(["a b", "b a", "c", "", "[UNK] d"]), min_size=2, max_size=30),
    st.integers(2, 6),
    st.integers(0, 3),
    st.randoms(use_true_random=False),
)
def test_many_files_in_their_order(
    tmp_path_factory: pytest.TempPathFactory,
    texts: list[str],
    max_size: int,
    min_count: int,
    chance: random.Random,
) -> None:
    folder = tmp_path_factory.mktemp("many")
    cut = chance.randrange(1, len(texts))
    paths = [folder / "z.txt", folder / "a.txt"]
    for path, part in zip(paths, (texts[:cut], texts[cut:]), strict=True):
        write_plain(path, part)
    splitter = Splitter(lower=False, filters="")
    expected = Vocabulary.build(texts, splitter, max_size, min_count)
    assert Vocabulary.count(paths, splitter, max_size, min_count) == expected
    assert Vocabulary.count(map(str, paths), splitter, max_size, min_count) == expected
    apart = [count_words(path, splitter, first_file=i) for i, path in enumerate(paths)]
    assert apart[1] + apart[0] == count_words(paths, splitter)


@pytest.mark.parametrize(("file", "text"), REAL)
def test_real_files(
    shared_data: Path, monkeypatch: pytest.MonkeyPatch, file: str, text: str | None
) -> None:
    path = shared_data / file
    expected = texts_in(path, text)
    cut_small(monkeypatch, 10_000, 50_000)
    assert Vocabulary.count(path, text=text) == Vocabulary.build(expected)
    marks = Splitter(marks=True)
    assert Vocabulary.count(path, marks, text=text) == Vocabulary.build(expected, marks)


def reverse(text: str) -> list[str]:
    return text.split()[::-1]


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("name", [name for name, texts in CORPORA.items() if texts])
@pytest.mark.parametrize(
    "arguments",
    [{}, {"oov_token": "<oov>", "num_words": 4}, {"char_level": True}, {"analyzer": reverse}],
    ids=["plain", "unknown", "characters", "analyzer"],
)
def test_a_tokenizer_learns_the_same(tmp_path: Path, name: str, arguments: dict[str, Any]) -> None:
    lines = [text.replace("\n", " ").replace("\0", "") for text in CORPORA[name]]
    lines = [line.removesuffix("\r") for line in lines]
    write_plain(tmp_path / "a.txt", lines)
    write_plain(tmp_path / "b.txt", lines[::-1])
    expected, found = Tokenizer(**arguments), Tokenizer(**arguments)
    for tokenizer in (expected, found):
        tokenizer.fit_on_texts(["what it knows before, and a cat"])
    expected.fit_on_texts([*lines, *lines[::-1]])
    found.fit_files([tmp_path / "a.txt", tmp_path / "b.txt"])
    for table in TABLES:
        assert getattr(found, table) == getattr(expected, table)
        assert list(getattr(found, table)) == list(getattr(expected, table))
    assert found.document_count == expected.document_count
    assert found.texts_to_sequences(lines) == expected.texts_to_sequences(lines)


def test_an_analyzer_of_something_else(tmp_path: Path) -> None:
    write_plain(tmp_path / "a.txt", ["a b"])
    for wrong, message in (([3], "of type int at position 0"), (["\ud83d"], "half of a surrogate")):
        tokenizer = Tokenizer(analyzer=lambda _, wrong=wrong: wrong)
        with pytest.raises(InvalidTextError, match=message):
            tokenizer.fit_files(tmp_path / "a.txt")
        assert not tokenizer.word_counts


def test_progress(tmp_path: Path, small_parts: None, capsys: pytest.CaptureFixture[str]) -> None:
    write_plain(tmp_path / "a.txt", ["some words"] * 10)
    write_plain(tmp_path / "b.txt", ["more"])
    told: list[tuple[int, int | None]] = []
    paths = [tmp_path / "a.txt", tmp_path / "b.txt"]
    Vocabulary.count(paths, progress=lambda *numbers: told.append(numbers))
    assert told[-1] == (115, 115)
    assert len(told) > 2
    assert told == sorted(told)
    Vocabulary.count(paths, progress=True)
    assert capsys.readouterr().out == ""
    with pytest.raises(InvalidArgumentError, match="`progress` must be"):
        Vocabulary.count(paths, progress=3)


# --- what is refused ------------------------------------------------------------------------

HEAD = b"id,text\n"
LONG = b"1\tone text as any other\n" * 20
OBJECT = b'{"text": "one text as any other"}\n' * 20
FAULTS = [
    ("a.txt", b""),
    ("a.txt", b"\xef\xbb\xbf"),
    ("a.txt", b"one\ntwo \xff\nthree\n" + b"more\n" * 20),
    ("a.txt", b"more\n" * 20 + b"one\ntwo \0\nthree\n"),
    ("a.txt.gz", b"no gzip"),
    ("a.txt.gz", gzip.compress(b"one text" * 99, mtime=0)[:30]),
    ("a.csv", b""),
    ("a.csv", b" \r\n \n" * 20),
    ("a.csv", HEAD),
    ("a.csv", HEAD.replace(b"text", b"texts") + b"1,a\n"),
    ("a.csv", b"1;text\n" * 5),
    ("a.csv", HEAD + b"1,a\n\n" * 20 + b"1\n"),
    ("a.csv", HEAD + b"1,a\n\n" * 20 + b"1,b,c\n"),
    ("a.csv", HEAD + b'1,"a\nb"\n' * 20 + b'1,"c\n\nx,y\n'),
    ("a.csv", HEAD + b'1,"a\nb"\n' * 20 + b'q,"c\nd"e\nx,y\n'),
    ("a.csv", HEAD + b"1,a\n" * 20 + b"1,a\rb\n"),
    ("a.csv", HEAD + b"1,a\n" * 20 + b"1,\xff\n"),
    ("a.csv.gz", gzip.compress(HEAD + b"1,a\n" * 20 + b"1,\xff\n", mtime=0)),
    ("a.tsv", b"id\ttext\n"),
    ("a.tsv", b"\n \n" * 30),
    ("a.tsv", b"id\ttext\n" + b"\n" * 40),
    ("a.tsv", b"id\ttexts\n" + LONG),
    ("a.tsv", b"id\ttext\ttext\n" + LONG),
    ("a.tsv", b"id\ttext\n" + LONG + b"\n\n1\n" + LONG),
    ("a.tsv", b"id\ttext\n" + LONG + b"\n\n1\t2\t3\n" + LONG),
    ("a.tsv", b"text\nno tab\n" * 20 + b"a tab\tthere\n"),
    ("a.jsonl", b"\n" * 40),
    ("a.jsonl", OBJECT + b"\n\n[1]\n" + OBJECT),
    ("a.jsonl", OBJECT + b"{\n" + OBJECT),
    ("a.jsonl", OBJECT + b'{"texts": ""}\n' + OBJECT),
    ("a.jsonl", OBJECT + b'{"text": null}\n' + OBJECT),
    ("a.jsonl", OBJECT + b'{"text": "\\ud83d"}\n' + OBJECT),
    ("a.jsonl", OBJECT + b'{"text": "\xe9"}\n' + OBJECT),
    ("a.jsonl", "\u00a0\n".encode() * 30),
    ("a.parquet", b"no Parquet"),
    ("a.parquet", b""),
]


@pytest.mark.parametrize(
    ("name", "content"), FAULTS, ids=[f"{name} {place}" for place, (name, _) in enumerate(FAULTS)]
)
@pytest.mark.parametrize("sizes", [(7, 19), (1 << 20, 1 << 20)], ids=["small parts", "whole"])
def test_faults_are_named_as_in_reading(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    content: bytes,
    sizes: tuple[int, int],
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    text = None if name.startswith("a.txt") else "text"
    with pytest.raises(DataFileError) as expected:
        texts_in(path, text)
    cut_small(monkeypatch, *sizes)
    with pytest.raises(DataFileError) as found:
        count_words(path, text=text)
    assert str(found.value) == str(expected.value)


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize(
    "columns",
    [
        {"text": ["a"] * 7 + [None, "b"]},
        {"text": pa.array([], pa.string())},
        {"text": [1, 2]},
        {"texts": ["a"]},
    ],
    ids=["null", "no rows", "numbers", "another column"],
)
def test_faults_of_parquet(tmp_path: Path, columns: dict[str, Any]) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table(columns), path, row_group_size=2)
    with pytest.raises(DataFileError) as expected:
        read_examples(path, text="text")
    with pytest.raises(DataFileError) as found:
        count_words(path, text="text")
    assert str(found.value) == str(expected.value)


def test_parquet_whose_data_are_broken(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": ["some text of a column"]}), path, use_dictionary=False)
    content = bytearray(path.read_bytes())
    content[4:60] = b"\xff" * 56
    path.write_bytes(content)
    with pytest.raises(DataFileError, match=r"a\.parquet': cannot be read as Parquet"):
        count_words(path, text="text")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"paths": []}, "`paths` must name at least one file"),
        ({"paths": None}, "`paths` must be a path or a list of paths. Received: None of type"),
        ({"paths": b"a.txt"}, "Received: b'a.txt' of type bytes"),
        ({"paths": ["a.txt", 3]}, "Received: 3 of type int"),
        ({"text": 2}, "`text` must be the name of a column, or its number .* Received: 2 of"),
        ({"paths": "-"}, "Standard input cannot be counted in parts"),
        ({"format": "xlsx"}, "must be one of text, csv, tsv, jsonl, parquet. Received: 'xlsx'"),
        ({"format": "text", "text": "a"}, "Plain text has no columns"),
        ({"workers": 0}, "`workers` must be a whole number of at least 1"),
        ({"workers": True}, "Received: True"),
        ({"workers": 2.0}, r"Received: 2\.0"),
        ({"max_size": 1}, "max_size"),
    ],
)
def test_wrong_arguments(tmp_path: Path, arguments: dict[str, Any], message: str) -> None:
    write_plain(tmp_path / "a.txt", ["a"])
    with pytest.raises(InvalidArgumentError, match=message):
        Vocabulary.count(**({"paths": tmp_path / "a.txt"} | arguments))


@pytest.mark.parametrize("number", [-1, 1 << 30, "a", True, None])
def test_a_file_has_a_number(tmp_path: Path, number: Any) -> None:
    write_plain(tmp_path / "a.txt", ["a"])
    with pytest.raises(InvalidArgumentError, match="`first_file` must be a whole number from 0"):
        count_words(tmp_path / "a.txt", first_file=number)


def test_what_files_and_columns_do_not_tell(tmp_path: Path) -> None:
    write_plain(tmp_path / "a.txt", ["a"])
    write_csv(tmp_path / "a.csv", ["a"])
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")  # to open it would wait for who writes to it
    for paths, text, message in (
        ("a.txt", "text", r"a\.txt': the suffix must tell the format \(\.csv, "),
        ("a.csv", None, r"a\.csv': the column of texts must be named in a file of csv\. Name it"),
        ("none.txt", None, r"none\.txt': there is no such file\. Check the path\."),
        ("none.csv.gz", "text", r"none\.csv\.gz': there is no such file"),
        ("folder", None, "folder': this is a folder"),
        ("pipe", None, "pipe': this is a pipe or a device, which cannot be read twice"),
    ):
        with pytest.raises(DataFileError, match=message):
            count_words(
                [tmp_path / "a.txt" if text is None else tmp_path / "a.csv", tmp_path / paths],
                text=text,
            )
    lines = count_words(tmp_path / "a.csv", format="text")
    assert lines.words == ["id", "text", "0", "a"]
    assert count_words(tmp_path / "a.csv", text="2", format="csv").words == ["text", "a"]


def test_large_files_are_cut(tmp_path: Path, small_parts: None) -> None:
    texts = ["some words"] * 40
    for kind, pieces in (("plain", 20), ("tsv", 20), ("jsonl", 20), ("parquet", 14), ("csv", 1)):
        name, write, text = WRITERS[kind]
        write(tmp_path / name, texts)
        found = parts.cut(parts.files_of(tmp_path / name, text, None), 19)
        assert len(found) >= pieces
        assert (len(found) == 1) == (kind == "csv")


@pytest.mark.parametrize("kind", WRITERS)
def test_a_file_is_never_read_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    for module in (blocks, counted_texts):
        monkeypatch.setattr(module, "BLOCK_BYTES", 1 << 12)
    monkeypatch.setattr(csv_rows, "GROUP_CHARACTERS", 1 << 12)
    name, write, text = WRITERS[kind]
    write(tmp_path / name, ["some words of a text"] * 5_000)
    [file] = parts.files_of(tmp_path / name, text, None)
    read = [len(texts) for texts, _ in counted_texts.texts_of(file)]
    assert sum(read) == 5_000
    assert max(read) < 500
