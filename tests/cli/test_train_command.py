"""``rowwise train``: what it leaves in the folder, prints, and takes."""

import gzip
import json

import pyarrow.csv
import pyarrow.parquet
import pytest

from rowwise.cli import train
from rowwise.cli.train import can_validate

COLUMNS = ("--text", "text", "--label", "label")
ROWS = [
    (f"{word} number {i}", label)
    for i in range(15)
    for word, label in (("good", "yes"), ("bad", "no"))
]


def test_the_folder_of_a_run(trained):
    assert sorted(path.name for path in trained.folder.iterdir()) == [
        "confusion.png",
        "history.json",
        "history.png",
        "metrics.json",
        "model.keras",
        "report.html",
        "words.png",
    ]
    for picture in trained.folder.glob("*.png"):
        assert picture.read_bytes().startswith(b"\x89PNG")
    history = json.loads((trained.folder / "history.json").read_text())
    assert {"loss", "accuracy", "val_loss", "val_accuracy"} <= set(history)
    assert {len(values) for values in history.values()} == {6}


def test_the_report(trained):
    report = trained.report
    assert report["train_texts"] == 384
    assert report["test_texts"] == 96
    assert report["majority"] == 0.5
    assert report["accuracy"] > 0.65
    assert report.pop("folder") == str(trained.folder)
    assert json.loads((trained.folder / "metrics.json").read_text()) == report


@pytest.fixture(scope="module")
def small(tmp_path_factory, write_csv):
    return write_csv(tmp_path_factory.mktemp("small") / "small.csv", ("text", "label"), *ROWS)


def test_every_format_and_a_folder_used_before(rowwise, small, tmp_path):
    table = pyarrow.csv.read_csv(small)
    pyarrow.parquet.write_table(table, tmp_path / "small.parquet")
    lines = "".join(json.dumps(row) + "\n" for row in table.to_pylist())
    (tmp_path / "small.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    tabs = "\n".join(f"{label}\t{text}" for text, label in ROWS).encode()
    ways = [
        (tmp_path / "small.parquet", *COLUMNS),
        (tmp_path / "small.jsonl.gz", *COLUMNS),
        ("-", "--text", "2", "--label", "1", "--format", "tsv"),
    ]
    reports = []
    for way in ways:
        options = ("-o", tmp_path / "run", "--epochs", 1, "--json")
        done = rowwise("train", *way, *options, stdin=tabs)
        assert (done.code, done.err) == (0, "")
        reports.append(done.json)
    assert {report["train_texts"] for report in reports} == {24}
    assert len({report["words"] for report in reports}) == 1


def test_what_a_person_reads(rowwise, small, tmp_path):
    done = rowwise("train", small, *COLUMNS, "-o", tmp_path / "run", "--epochs", 2)
    assert done.code == 0
    first, second, third, fourth = done.out.splitlines()
    assert first == "24 texts to train on, 18 words."
    assert second.startswith("Accuracy on 6 other texts: ")
    assert second.endswith("%.")
    assert third == f"Everything is in the folder {tmp_path / 'run'}:"
    assert fourth.split() == sorted(path.name for path in (tmp_path / "run").iterdir())
    # Into a file, the bar is one line, when all is done.
    (bar,) = done.err.splitlines()
    assert bar.startswith("epoch 2/2 ")
    assert "100 % took 0:00:" in bar


def test_vectors_and_other_options(rowwise, small, tmp_path):
    (tmp_path / "v.txt").write_text("good 1 0 0.5\nbad -1 0 0.5\n")
    options = ("--vectors", tmp_path / "v.txt", "--freeze", "--balanced", "--head", "cnn")
    done = rowwise(
        "train", small, *COLUMNS, "-o", tmp_path / "run", "--epochs", 1, *options, "--quiet"
    )
    assert (done.code, done.err) == (0, "")
    found = rowwise("neighbors", tmp_path / "run", "good", "-n", 99, "--json").json
    cosines = {row["word"]: row["cosine"] for row in found["neighbors"]}
    assert cosines["bad"] == pytest.approx((-1 + 0.25) / 1.25, abs=1e-5)


@pytest.mark.parametrize(
    ("counts", "share", "possible"),
    [
        ((50, 50), 0.2, True),
        ((5, 5), 0.2, False),  # a tenth of eight texts is less than one of each label
        ((1000, 2), 0.2, False),
        ((1000, 3), 0.2, True),
        ((1000, 10), 0.9, False),
        ((30,) * 77, 0.2, True),
    ],
)
def test_whether_texts_can_be_kept_out_to_validate(counts, share, possible):
    labels = [str(label) for label, count in enumerate(counts) for _ in range(count)]
    assert can_validate(labels, share) == possible


def test_a_file_is_read_block_by_block(rowwise, small, tmp_path):
    options = ("-o", tmp_path / "run", "--epochs", 1, "--balanced", "--json", "--max-words", 9)
    options = (*options, "--stream")
    done = rowwise("train", small, *COLUMNS, *options)
    assert done.code == 0
    size = f"{small.stat().st_size} bytes"
    assert done.err == (
        f"Note: {str(small)!r} ({size}, 30 texts) is read block by block while the model trains, "
        "not into memory.\n"
    )
    assert (done.json["train_texts"], done.json["words"]) == (24, 9)
    assert len(list((tmp_path / "run").iterdir())) == 7
    assert rowwise("predict", tmp_path / "run", "good").code == 0


@pytest.mark.parametrize(("name", "is_large"), [("a.csv", False), ("a.csv.gz", True)])
def test_large_files_are_read_block_by_block(tmp_path, monkeypatch, name, is_large):
    monkeypatch.setattr(train, "LARGE_BYTES", 300)
    (tmp_path / name).write_bytes(b"." * 100)
    assert train.is_large(str(tmp_path / name)) == is_large
    (tmp_path / name).write_bytes(b"." * 301)
    assert train.is_large(str(tmp_path / name))
    assert not train.is_large("-")
    assert not train.is_large(str(tmp_path / "none"))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("a", "x"), ("b", "x")], "at least two different labels; all 2 are 'x'"),
        ([("a", "x"), ("b", "x"), ("c", "y")], "at least 2 examples; fewer are there of 'y'"),
        ([("", "x"), ("", "y")] * 20, "None of the 28 training texts has a word"),
        ([("a", "x"), ("b", "")], "line 3, column 'label': the label is missing"),
    ],
)
def test_faults_of_files_read_block_by_block(rowwise, write_csv, tmp_path, rows, message):
    file = write_csv(tmp_path / "a.csv", ("text", "label"), *rows)
    done = rowwise("train", file, *COLUMNS, "-o", tmp_path / "run", "--stream", "--quiet")
    assert done.code == 2
    assert message in done.err
    assert not (tmp_path / "run").exists()


def test_standard_input_cannot_be_streamed(rowwise, tmp_path):
    done = rowwise("train", "-", *COLUMNS, "-o", tmp_path / "run", "--stream")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("Error: Standard input is read only once: leave out --stream.")
