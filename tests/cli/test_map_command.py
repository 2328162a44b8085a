"""`rowwise map`: pages and pictures of words, and what is wrong with the input."""

import numpy as np
import pytest

from rowwise.vectors import Vectors


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = np.random.default_rng(0).normal(size=(40, 5)).astype("float32")
    Vectors([f"word{i}" for i in range(40)], rows).save("words.txt")
    Vectors([f"word{i}" for i in range(40)], rows + 1).save("later.txt")
    (tmp_path / "some.txt").write_text("word3\nword1\nword4\nword8\nword9\n")
    (tmp_path / "labels.tsv").write_text("word1\tnoun\nword3\tverb\n")
    (tmp_path / "numbers.tsv").write_text("".join(f"word{i}\t{i / 2}\n" for i in range(20)))
    return tmp_path


@pytest.mark.parametrize("suffix", [".html", ".png", ".svg", ".pdf"])
@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--method", "pca", "--seed", "3", "--title", "A & B"],
        ["--only", "some.txt", "--labels", "labels.tsv"],
        ["--limit", "10", "--labels", "numbers.tsv"],
    ],
)
def test_a_page_or_a_picture_is_written(rowwise, folder, suffix, options):
    result = rowwise("map", "words.txt", f"map{suffix}", *options)
    assert result.code == 0, result.err
    assert result.err == ""
    shown = 5 if "--only" in options else 10 if "--limit" in options else 40
    assert f"map{suffix}: {shown} " in result.out
    start = {".html": b"<!doctype html>", ".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}
    assert (folder / f"map{suffix}").read_bytes().startswith(start[suffix])


def test_words_that_are_not_shown_are_said(rowwise, folder):
    result = rowwise("map", "words.txt", "map.html", "--limit", "10")
    assert "40 words are in the table" in result.out
    assert "10 of 40 words" in rowwise("map", "words.txt", "map.png", "--limit", "10").out


def test_words_are_coloured_by_how_far_they_went(rowwise, folder):
    assert rowwise("map", "later.txt", "map.html", "--before", "words.txt").code == 0
    assert (folder / "map.html").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["words.txt", "map.jpg"], "TARGET ends in .html for a page, or in .png, .svg, .pdf"),
        (["words.txt", "map.png", "--before", "words.txt"], "let TARGET end in .html"),
        (["nix.txt", "map.html"], "nix.txt"),
        (["words.txt", "map.html", "--only", "odd.txt"], "Did you mean 'word1'"),
        (["words.txt", "map.html", "--labels", "some.txt"], "Line 1 of 'some.txt' has no tab"),
        (["words.txt", "map.html", "--labels", "other.tsv"], "None of the words that are shown"),
        (["words.txt", "map.png", "--labels", "numbers.tsv"], "no number for 'word20'"),
        (["words.txt", "map.html", "--before", "wide.txt"], "columns"),
        (["words.txt", "nowhere/map.html"], "nowhere"),
        (["words.txt", "map.html", "--seed", "-1"], "-1 is not in the range 0<=x<=4294967295"),
        (["words.txt", "map.png", "--seed", "99999999999"], "is not in the range"),
        (["words.txt", "map.html", "--labels", "bad.tsv"], "'bad.tsv', line 2: byte 0xff is not"),
        (["words.txt", "map.png", "--labels", "empty.tsv"], "'empty.tsv': the file is empty"),
    ],
)
def test_mistakes_are_one_line(rowwise, folder, arguments, message):
    (folder / "odd.txt").write_text("wrod1\n")
    (folder / "other.tsv").write_text("other\tnoun\n")
    (folder / "bad.tsv").write_bytes(b"word1\tnoun\nword2\tv\xffrb\n")
    (folder / "empty.tsv").touch()
    Vectors(["word1", "word2"], np.ones((2, 9), "float32")).save("wide.txt")
    result = rowwise("map", *arguments)
    assert result.code == 2
    assert message in result.err
    assert result.err.count("\n") == 1
    assert not [path for path in folder.iterdir() if path.name.startswith("map")]


@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_lines_of_labels_end_at_line_breaks_alone(rowwise, folder, start, end):
    words = [f"wo\u2028rd{i}\x85" for i in range(5)]
    Vectors(words, np.eye(5, dtype="float32")).save("odd.safetensors")
    numbers = end.join(f"{word}\t{i}".encode() for i, word in enumerate(words))
    (folder / "numbers.tsv").write_bytes(start + numbers + end)  # one for each word, or an error
    result = rowwise("map", "odd.safetensors", "map.html", "--labels", "numbers.tsv")
    assert (result.code, result.err) == (0, "")


def test_a_picture_leaves_out_rows_that_are_not_finite(rowwise, folder):
    Vectors(["a", "b", "c"], [[1, 2], [3, np.nan], [5, 7]]).save("nan.safetensors")
    result = rowwise("map", "nan.safetensors", "map.png")
    assert (result.code, result.err) == (0, "")
    assert result.out == "map.png: 2 of 3 words (1 left out, for rows that hold NaN or infinity).\n"


def test_a_picture_of_one_word(rowwise, folder):
    Vectors(["a"], [[1, 2]]).save("one.safetensors")
    assert rowwise("map", "one.safetensors", "map.png").out == "map.png: 1 of 1 word.\n"
