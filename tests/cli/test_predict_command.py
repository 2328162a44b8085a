"""``rowwise predict``: arguments, files and standard input give the same."""

import json

import pytest

TEXTS = ["Wonderful, I loved it", "", "Broken and dirty. 😞", "Nie wieder! naïve \t x"]


def test_arguments_files_and_standard_input_agree(rowwise, trained, write_csv, tmp_path):
    lines = ("\n".join(TEXTS) + "\n").encode()
    (tmp_path / "a.txt").write_bytes(lines)
    write_csv(
        tmp_path / "a.csv", ("id", "review"), *((str(i), text) for i, text in enumerate(TEXTS))
    )
    (tmp_path / "a.jsonl").write_text("".join(json.dumps({"t": text}) + "\n" for text in TEXTS))
    ways = [
        TEXTS,
        ["-"],
        ["--file", "-"],
        ["--file", tmp_path / "a.txt"],
        ["--file", tmp_path / "a.csv", "--text", "review"],
        ["--file", tmp_path / "a.jsonl", "--text", "t", "--format", "jsonl"],
    ]
    results = [rowwise("predict", trained.folder, *way, "--json", stdin=lines) for way in ways]
    assert {result.code for result in results} == {0}
    note = "Note: 1 text of 4 without any word that the model knows: a label there is a guess.\n"
    assert {result.err for result in results} == {note}
    expected = results[0].json_lines
    assert [line["text"] for line in expected] == TEXTS
    for line in expected:
        shares = line["probabilities"]
        assert list(shares) == ["negative", "positive"]
        assert sum(shares.values()) == pytest.approx(1, abs=1e-5)
        assert line["label"] == max(shares, key=shares.get)
    assert expected[0]["label"] == "positive"
    assert expected[2]["label"] == "negative"
    for result in results[1:]:
        assert result.json_lines == expected


def test_a_table_on_standard_input(rowwise, trained):
    options = ("-", "--text", "review", "--format", "csv")
    done = rowwise("predict", trained.folder, *options, stdin=b"id,review\n1,great\n2,terrible\n")
    assert [line.split("\t")[0] for line in done.out.splitlines()] == ["positive", "negative"]


def test_a_line_for_every_text(rowwise, trained):
    done = rowwise("predict", trained.folder, "great\nand  good", "--", "-5 degrees")
    first, second = (line.split("\t") for line in done.out.splitlines())
    assert (first[0], first[2]) == ("positive", "great and good")
    assert 0.5 <= float(first[1]) <= 1
    assert second[2] == "-5 degrees"


@pytest.mark.parametrize("text", ["great. " * 1000, "a\0b.c", "~"])
def test_any_single_text(rowwise, trained, text):
    done = rowwise("predict", trained.folder, text, "--json")
    assert done.code == 0
    assert done.err.startswith("Note: 1 text of 1 without any word") == (text == "~")
    assert done.json["text"] == text


def test_a_file_among_the_texts_is_pointed_out(rowwise, trained):
    done = rowwise("predict", trained.folder, trained.file)
    assert done.code == 0
    assert len(done.out.splitlines()) == 1
    assert done.err == f"Note: {str(trained.file)!r} is taken as a text. For the file: --file.\n"
