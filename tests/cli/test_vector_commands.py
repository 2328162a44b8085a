"""``rowwise convert`` and ``rowwise info``."""

import zipfile

import numpy as np
import pytest

from rowwise.vectors import Vectors

WORDS = ["king", "Queen", "车", "new york"]
ROWS = np.array([[3, 4], [0, 1], [-2, 0], [1, 1]], dtype="float32")


@pytest.fixture
def file(tmp_path):
    Vectors(WORDS, ROWS).save(tmp_path / "v.safetensors")
    return tmp_path / "v.safetensors"


@pytest.mark.parametrize(
    ("target", "options"),
    [
        ("o.fifu", []),
        ("o.npy", []),
        ("o.safetensors", []),
        ("folder", ["--format", "model2vec"]),
        ("o.bin", ["--format", "fasttext", "--limit", 3]),
        ("o.vec.gz", ["--limit", 3]),
    ],
)
def test_a_file_is_converted(rowwise, file, tmp_path, target, options):
    done = rowwise("convert", file, tmp_path / target, *options)
    count = 3 if "--limit" in options else 4
    assert (done.code, done.err) == (0, "")
    assert done.out == f"{tmp_path / target}: {count} words x 2 columns.\n"
    loaded = Vectors.load(tmp_path / target)
    assert list(loaded.words) == WORDS[:count]
    assert np.array_equal(loaded.rows, ROWS[:count])


def test_only_some_words(rowwise, file, tmp_path):
    (tmp_path / "words").write_text("queen\n车\nnobody\n", encoding="utf-8")
    target = tmp_path / "o.vec"
    options = ["--only", tmp_path / "words", "--lowercase", "--dtype", "float16", "--json"]
    done = rowwise("convert", file, target, *options)
    assert done.json == {"target": str(target), "words": 2, "columns": 2, "format": "rowwise"}
    assert Vectors.load(target).words == ("queen", "车")


def test_no_word_that_is_wanted_is_an_error(rowwise, file, tmp_path):
    (tmp_path / "words").write_text("queen\nnobody\n", encoding="utf-8")
    done = rowwise("convert", file, tmp_path / "o.safetensors", "--only", tmp_path / "words")
    assert done.code == 2
    assert "None of the 2 words" in done.err
    assert not (tmp_path / "o.safetensors").exists()


def test_what_is_lost_is_noted(rowwise, file, tmp_path):
    target = tmp_path / "o.fifu"
    done = rowwise("convert", file, target, "--dtype", "float64")
    assert done.code == 0
    assert done.err.startswith("Note: The format finalfusion holds float32 numbers")


def test_what_cannot_be_held_is_an_error(rowwise, file, tmp_path):
    for target, message in (
        ("o.vec", "cannot hold the word 'new york'"),
        ("o.bin", "Several formats have the suffix '.bin'"),
        ("o.parquet", "The suffix must be one of"),
    ):
        done = rowwise("convert", file, tmp_path / target)
        assert (done.code, done.out) == (2, "")
        assert message in done.err
        assert not (tmp_path / target).exists()


def test_info_of_a_file(rowwise, tmp_path):
    lines = b"".join(b"w%d 1 0\n" % i for i in range(20))
    (tmp_path / "v").write_bytes(b"king 3 4\nnew york 0 1\nking 1 1\nbad 1 x\n" + lines)
    done = rowwise("info", tmp_path / "v")
    assert done.code == 0
    assert "1 malformed rows were left out; the first is line 4" in done.err
    assert done.out.splitlines() == [
        "format       glove",
        "words        22",
        "columns      2",
        "subwords     no",
        "first words  king  new york  w0  w1  w2  w3  w4  w5",
        "mean length  1.182",
        "spaced       1 (line 2)",
        "duplicate    1 (line 3)",
        "malformed    1 (line 4)",
    ]
    assert rowwise("info", tmp_path / "v", "--strict").code == 2


def test_info_of_a_run_and_of_a_zip(rowwise, trained, tmp_path, file):
    found = rowwise("info", trained.folder, "--json").json
    assert (found["format"], found["subwords"]) == ("keras", False)
    assert found["words"] == trained.report["words"] - 2  # without padding and unknown
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.writestr("a.txt", "one 1 2\ntwo 3 4\n")
        archive.writestr("b.txt", "one 1 2 3\ntwo 3 4 5\n")
    done = rowwise("info", tmp_path / "two.zip")
    assert done.code == 2
    assert "a.txt (2 columns), b.txt (3 columns)" in done.err
    found = rowwise("info", tmp_path / "two.zip", "--member", 3, "--json").json
    assert (found["packed"], found["member"], found["columns"]) == ("zip", "b.txt", 3)


def test_info_loads_no_framework(file):
    import subprocess
    import sys

    code = (
        "import sys\nfrom rowwise.cli import main\n"
        f"try:\n    main(['info', {str(file)!r}])\nexcept SystemExit as e:\n    assert not e.code\n"
        "assert not {'keras', 'jax', 'tensorflow', 'torch', 'sklearn'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
