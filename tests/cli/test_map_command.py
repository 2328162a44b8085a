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
    ],
)
def test_mistakes_are_one_line(rowwise, folder, arguments, message):
    (folder / "odd.txt").write_text("wrod1\n")
    (folder / "other.tsv").write_text("other\tnoun\n")
    Vectors(["word1", "word2"], np.ones((2, 9), "float32")).save("wide.txt")
    result = rowwise("map", *arguments)
    assert result.code == 2
    assert message in result.err
    assert result.err.count("\n") == 1
    assert not [path for path in folder.iterdir() if path.name.startswith("map")]
