"""``rowwise benchmark``: figures of models and files of vectors."""

import pytest


@pytest.fixture
def files(shared_data):
    return shared_data / "vectors" / "glove.6B.50d.5k.txt", shared_data / "similarity"


def test_pairs_and_analogies(rowwise, files):
    vectors, tests = files
    done = rowwise("benchmark", vectors, tests / "EN-WS-353-ALL.txt", tests / "questions-words.txt")
    assert (done.code, done.err) == (0, "")
    lines = [line.split() for line in done.out.splitlines()]
    assert lines[0] == ["file", "figure", "covered", "of"]
    assert lines[1] == ["EN-WS-353-ALL.txt", "0.535", "190", "353"]
    assert lines[2] == ["questions-words.txt", "64.6", "%", "3,006", "19,544"]
    assert lines[3] == ["capital-common-countries", "81.0", "%", "210", "506"]
    assert len(lines) == 17


def test_json(rowwise, files):
    vectors, tests = files
    pairs, analogies = rowwise(
        "benchmark", vectors, tests / "EN-MEN-TR-3k.txt", tests / "questions-words.txt", "--json"
    ).json_lines
    assert (pairs["covered"], pairs["pairs"]) == (777, 3000)
    assert pairs["spearman"] == pytest.approx(0.6817, abs=1e-4)
    assert len(analogies["sections"]) == 14
    assert analogies["total"]["accuracy"] == pytest.approx(0.646, abs=1e-3)
    assert analogies["sections"][0]["accuracy"] == pytest.approx(0.81, abs=1e-3)


def test_options(rowwise, files):
    vectors, tests = files
    found = rowwise(
        "benchmark",
        vectors,
        tests / "EN-WS-353-ALL.txt",
        "--ignore-case",
        "--limit",
        2000,
        "--json",
    ).json
    assert 0 < found["covered"] < 190
    exact = rowwise("benchmark", vectors, tests / "questions-words.txt", "--match-case", "--json")
    assert exact.json["total"]["covered"] < 3006


def test_a_model(rowwise, trained, tmp_path):
    (tmp_path / "pairs.txt").write_text("great good 9\ngreat bad 2\ngreat awful 1\n")
    done = rowwise("benchmark", trained.folder, tmp_path / "pairs.txt", "--json")
    assert done.code == 0
    assert done.json["covered"] >= 2
