"""``rowwise analogy``: sums of words, out of models and files of vectors."""

import pytest

from rowwise.vectors import Vectors

WORDS = ["king", "queen", "man", "woman", "new york"]
ROWS = [[1, 1, 0], [1, -1, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1]]


@pytest.fixture
def file(tmp_path):
    Vectors(WORDS, ROWS).save(tmp_path / "v.safetensors")
    return tmp_path / "v.safetensors"


@pytest.mark.parametrize("method", ["add", "mul"])
def test_a_formula(rowwise, file, method):
    done = rowwise("analogy", file, "king - man + woman", "-n", 1, "--method", method)
    assert (done.code, done.err) == (0, "")
    assert done.out.split()[0] == "queen"


def test_json_and_quotes(rowwise, file):
    done = rowwise("analogy", file, "'new york' + queen - king", "-n", 1, "--json")
    assert done.json == {
        "formula": "'new york' + queen - king",
        "method": "add",
        "words": [{"word": "woman", "score": pytest.approx(0.816497)}],
    }


def test_a_model(rowwise, trained):
    done = rowwise("analogy", trained.folder, "great + funny - bad", "--top", 3)
    assert (done.code, len(done.out.splitlines())) == (0, 3)
