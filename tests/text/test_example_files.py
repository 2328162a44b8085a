"""Examples found in files and read block by block are those that are read into memory."""

import csv
import gzip
import json
import os
import pickle
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowwise.errors import DataFileError, InvalidArgumentError
from rowwise.text import ExampleFiles, read_examples
from rowwise.text.indexed import copies, holding_out, index, rows
from rowwise.text.indexed.holding_out import hold_out

Rows = list[tuple[str, str]]


def small_blocks(patch: pytest.MonkeyPatch, size: int) -> None:
    patch.setattr(rows, "BLOCK_BYTES", size)
    patch.setattr(copies, "BLOCK_BYTES", size)
    patch.setattr(rows, "_ROWS", 3)


def write_csv(path: Path, examples: Rows, ending: str = "\n") -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator=ending, quoting=csv.QUOTE_ALL)
        writer.writerows([("n", "text", "label")])
        writer.writerows((i, *example) for i, example in enumerate(examples))


def write_plain_csv(path: Path, examples: Rows) -> None:
    """Without a header, quotes only where they are needed, and blank lines."""
    with path.open("w", newline="", encoding="utf-8") as file:
        for example in examples:
            csv.writer(file).writerow(example)
            file.write("\n")


def write_tsv(path: Path, examples: Rows) -> None:
    lines = [f"{text}\t{label}\n\n" for text, label in examples]
    path.write_text("\n\ntext\tlabel\n" + "".join(lines), "utf-8")


def write_jsonl(path: Path, examples: Rows) -> None:
    lines = [json.dumps({"text": t, "label": k}, ensure_ascii=False) for t, k in examples]
    path.write_text("\ufeff" + "\n \n".join(lines), "utf-8")


def write_parquet(path: Path, examples: Rows, rows_of_group: int = 3) -> None:
    texts, labels = zip(*examples, strict=True)
    table = pa.table({"n": list(range(len(texts))), "text": texts, "label": labels})
    pq.write_table(table, path, row_group_size=rows_of_group)


def packed(write: Callable[[Path, Rows], None]) -> Callable[[Path, Rows], None]:
    def write_packed(path: Path, examples: Rows) -> None:
        write(path, examples)
        path.write_bytes(gzip.compress(path.read_bytes()))

    return write_packed


NAMED = {"text": "text", "label": "label"}
WRITERS: dict[str, tuple[str, Callable[[Path, Rows], None], dict[str, str]]] = {
    "csv": ("a.csv", write_csv, NAMED),
    "csv of windows": ("a.csv", lambda path, examples: write_csv(path, examples, "\r\n"), NAMED),
    "csv without header": ("a.csv", write_plain_csv, {"text": "1", "label": "2"}),
    "packed csv": ("a.csv.gz", packed(write_csv), NAMED),
    "tsv": ("a.tsv", write_tsv, NAMED),
    "jsonl": ("a.jsonl", write_jsonl, NAMED),
    "packed jsonl": ("a.jsonl.gz", packed(write_jsonl), NAMED),
    "parquet": ("a.parquet", write_parquet, NAMED),
    "parquet of one group": (
        "a.parquet",
        lambda path, examples: write_parquet(path, examples, 10**6),
        NAMED,
    ),
}
EXAMPLES = st.lists(
    st.tuples(
        st.text(st.sampled_from("ab cé東\"\u2028,'😞"), max_size=12),
        st.text(st.sampled_from('xé"'), min_size=1, max_size=2),
    ),
    min_size=1,
    max_size=12,
)


def texts_of(files: ExampleFiles) -> list[str]:
    return [text for block in files.blocks() for text in block.texts]


def labels_of(files: ExampleFiles) -> list[str]:
    assert files.classes is not None
    return [files.classes[code] for block in files.blocks() for code in block.labels.tolist()]


@pytest.mark.parametrize("kind", WRITERS)
@given(examples=EXAMPLES, size=st.integers(1, 40), data=st.data())
def test_what_is_read_in_blocks_is_what_is_read_whole(
    kind: str,
    tmp_path_factory: pytest.TempPathFactory,
    examples: Rows,
    size: int,
    data: st.DataObject,
) -> None:
    name, write, columns = WRITERS[kind]
    path = tmp_path_factory.mktemp("any") / name
    write(path, examples)
    whole = read_examples(path, **columns)
    with pytest.MonkeyPatch.context() as patch:
        small_blocks(patch, size)
        patch.setattr(index, "_LARGE_GROUP", 150)
        files = ExampleFiles(path, **columns)
        assert len(files) == len(whole.texts)
        assert texts_of(files) == whole.texts
        assert labels_of(files) == whole.labels
        assert files.classes == tuple(sorted(set(whole.labels or [])))
        begins = np.concatenate([[0], np.cumsum(files.block_counts)])
        some = sorted(data.draw(st.sets(st.integers(0, len(files.block_counts) - 1))))
        for number, block in zip(some, files.read(some), strict=True):
            assert block.texts == whole.texts[begins[number] : begins[number + 1]]


CSV_TEXTS = st.lists(
    st.lists(st.text(st.sampled_from('a,"\n\ré'), max_size=6), min_size=2, max_size=2), min_size=1
)


@given(table=CSV_TEXTS, size=st.integers(1, 30))
def test_places_in_csv_are_those_of_the_csv_module(
    tmp_path_factory: pytest.TempPathFactory, table: list[list[str]], size: int
) -> None:
    # Line breaks, quotes and commas inside of quotes, and quotes inside of fields without.
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        file.write('5" text,n\n')
        csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(table)
        file.write('3" wide,"so\n""wide"""\n')
    with path.open(newline="", encoding="utf-8") as file:
        expected = list(csv.reader(file, strict=True))[1:]
    with pytest.MonkeyPatch.context() as patch:
        small_blocks(patch, size)
        files = ExampleFiles(path, text='5" text')
        assert texts_of(files) == [row[0] for row in expected]
        for number in reversed(range(len(files.block_counts))):
            assert next(iter(files.read([number]))).texts


def test_many_files_and_weights(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,label,w\none,x,1\ntwo,y,0.5\n")
    (tmp_path / "b.jsonl").write_text('{"text": "three", "label": "y", "w": 2}\n')
    pq.write_table(pa.table({"text": ["four"], "label": ["z"], "w": [3]}), tmp_path / "c.parquet")
    (tmp_path / "d.csv.gz").write_bytes(gzip.compress(b"label,text,w\nx,five,4\n"))
    paths = sorted(tmp_path.iterdir())
    files = ExampleFiles(paths, text="text", label="label", weight="w")
    assert texts_of(files) == ["one", "two", "three", "four", "five"]
    weights = np.concatenate([block.weights for block in files.blocks()])
    assert weights.tolist() == [1, 0.5, 2, 3, 4]
    assert files.class_counts == {"x": 2, "y": 2, "z": 1}
    assert files.labels.tolist() == [0, 1, 1, 2, 0]
    assert repr(files) == "<ExampleFiles: 5 texts in 4 files, 3 labels>"


def test_classes_that_are_given(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text,label\none,x\ntwo,y\n")
    files = ExampleFiles(path, text="text", label="label", classes=["z", "y", "x"])
    assert files.classes == ("z", "y", "x")
    assert files.labels.tolist() == [2, 1]
    with pytest.raises(DataFileError, match=r"line 3, column 'label': the label 'y' is none of"):
        ExampleFiles(path, text="text", label="label", classes=["x", "z"])


FAULTS: dict[str, tuple[str, bytes]] = {
    "no column": ("a.csv", b"a,label\n1,2\n"),
    "too many cells": ("a.csv", b"text,label\na,b\nc,d,e\n"),
    "open quote": ("a.csv", b'text,label\na,b\n"c,d\n'),
    "no label": ("a.csv", b"text,label\na,b\nc,\n"),
    "not utf-8": ("a.csv", b"text,label\na,b\n\xff,d\n"),
    "empty": ("a.csv", b" \n"),
    "no rows": ("a.csv", b"text,label\n"),
    "tsv": ("a.tsv", b"text\tlabel\na\tb\n\nc\n"),
    "empty tsv": ("a.tsv", b""),
    "no json": ("a.jsonl", b'{"text": "a", "label": "b"}\n\n{"text"\n'),
    "no text": ("a.jsonl", b'{"text": "a", "label": "b"}\n{"text": 1, "label": "b"}\n'),
    "half a character": ("a.jsonl", b'{"text": "\\ud83d", "label": "b"}\n'),
    "empty json lines": ("a.jsonl", b"\n\n"),
    "no parquet": ("a.parquet", b"PAR1"),
    "no gzip": ("a.csv.gz", b"text,label\na,b\n"),
    "cut gzip": ("a.jsonl.gz", gzip.compress(b'{"text": "a", "label": "b"}\n' * 9)[:-9]),
    "no suffix": ("a.data", b"text,label\na,b\n"),
}


@pytest.mark.parametrize("block", [1, 1 << 19])
@pytest.mark.parametrize("kind", FAULTS)
def test_faults_are_named_as_those_of_files_read_whole(
    kind: str, block: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_blocks(monkeypatch, block)
    name, content = FAULTS[kind]
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataFileError) as expected:
        read_examples(path, text="text", label="label")
    with pytest.raises(DataFileError) as found:
        ExampleFiles(path, text="text", label="label")
    assert str(found.value) == str(expected.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("text,w\na,-1\n", "line 2, column 'w': expected a weight, found '-1'. Write a number"),
        ("text,w\na,1\nb,much\n", "line 3, column 'w': expected a weight, found 'much'"),
        ("text,w\na,nan\n", "line 2, column 'w': expected a weight"),
    ],
)
def test_weights_are_numbers(content: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(content)
    with pytest.raises(DataFileError, match=message):
        ExampleFiles(path, text="text", weight="w")
    pq.write_table(pa.table({"text": ["a"], "w": ["1"]}), tmp_path / "a.parquet")
    with pytest.raises(DataFileError, match="column 'w': expected numbers, found string"):
        ExampleFiles(tmp_path / "a.parquet", text="text", weight="w")


@pytest.mark.parametrize(
    ("paths", "options", "message"),
    [
        ([], {}, "at least one file"),
        ("-", {}, "Standard input can be read only once"),
        ("a.csv", {"format": "xls"}, "`format` must be one of csv, tsv, jsonl, parquet"),
        ("a.csv", {"label": "text"}, "must be different columns. Received: 'text', 'text'"),
        ("a.csv", {"classes": ["x"]}, "give `label`, too"),
        ("a.csv", {"classes": [], "label": "l"}, "different labels, at least one"),
    ],
)
def test_arguments_without_sense(paths: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        ExampleFiles(paths, text="text", **options)


@pytest.mark.parametrize("change", ["append", "touch", "remove"])
def test_a_file_that_has_changed_is_an_error(change: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text\none\n")
    files = ExampleFiles(path, text="text")
    if change == "append":
        path.write_text("text\none\ntwo\n")
    elif change == "touch":
        path.write_text("text\ntwo\n")
        os.utime(path, ns=(1, 1))
    else:
        path.unlink()
    message = "there is no such file" if change == "remove" else "has changed since"
    with pytest.raises(DataFileError, match=message):
        texts_of(files)


def test_a_pipe_is_an_error_and_no_wait(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")  # to open it would wait for who writes to it
    with pytest.raises(DataFileError, match=r"pipe\.csv': this is a pipe or a device"):
        ExampleFiles(tmp_path / "pipe.csv", text="text", label="label")


def test_copies_are_gone_with_the_object(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    packed(write_csv)(tmp_path / "a.csv.gz", [("one", "x"), ("two", "y"), ("three", "x")])
    files = ExampleFiles(tmp_path / "a.csv.gz", text="text", label="label")
    (tmp_path / "a.csv.gz").unlink()  # the copy is enough
    loaded = pickle.loads(pickle.dumps(files))
    assert texts_of(loaded) == texts_of(files) == ["one", "two", "three"]
    del loaded
    part, _ = files.split(0.5)
    del files
    assert len(list((tmp_path / "temporary").iterdir())) == 1
    assert part.class_counts["x"] == 1
    del part, _
    assert list((tmp_path / "temporary").iterdir()) == []


def test_a_file_with_a_fault_leaves_no_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"text,label\na,b\nc\n"))
    with pytest.raises(DataFileError) as caught:
        ExampleFiles(tmp_path / "a.csv.gz", text="text", label="label")
    del caught
    assert list((tmp_path / "temporary").iterdir()) == []


# --- holding examples out -------------------------------------------------------------------


@given(
    labels=st.lists(st.integers(0, 4), max_size=80),
    share=st.floats(0.01, 0.99),
    seed=st.integers(0, 9),
    run=st.integers(1, 30),
)
def test_of_each_label_the_share_is_held_out(
    labels: list[int], share: float, seed: int, run: int
) -> None:
    codes = np.array(labels, dtype=np.uint8)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(holding_out, "_GROUP", run)
        held = hold_out(codes, len(codes), share, seed)
        assert np.array_equal(held, hold_out(codes, len(codes), share, seed))
    for label in set(labels):
        of_label = held[codes == label]
        assert abs(int(of_label.sum()) - share * len(of_label)) <= 1


def test_other_seeds_hold_out_others_without_a_pattern() -> None:
    held = [hold_out(None, 10_000, 0.2, seed) for seed in (0, 0, 1)]
    assert np.array_equal(held[0], held[1])
    assert [int(one.sum()) for one in held] == [2000] * 3
    assert abs(int((held[0] & held[2]).sum()) - 400) < 60
    assert abs(int(held[0][::5].sum()) - 400) < 60


def test_parts_are_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small_blocks(monkeypatch, 50)
    examples = [(f"text {i}", random.Random(i).choice("xyz")) for i in range(200)]
    write_csv(tmp_path / "a.csv", examples)
    files = ExampleFiles(tmp_path / "a.csv", text="text", label="label")
    rest, test = files.split(0.2, seed=3)
    training, validation = rest.split(0.1, seed=3)
    parts = (training, validation, test)
    assert [len(part) for part in parts] == [144, 16, 40]
    pairs = [zip(texts_of(part), labels_of(part), strict=True) for part in parts]
    found = [example for of_part in pairs for example in of_part]
    assert sorted(found) == sorted(examples)
    for part in parts:
        assert sum(part.class_counts.values()) == len(part)
        assert texts_of(part) == sorted(texts_of(part), key=lambda text: int(text[5:]))


@pytest.mark.parametrize("share", [0, 1, -0.5, 0.01])
def test_a_share_that_leaves_nothing(share: float, tmp_path: Path) -> None:
    write_csv(tmp_path / "a.csv", [("one", "x"), ("two", "y")])
    files = ExampleFiles(tmp_path / "a.csv", text="text")
    with pytest.raises(InvalidArgumentError, match=r"more than 0 and less than 1|would be empty"):
        files.split(share)
