"""``rowwise neighbors``: words near a word, out of models and files of vectors."""

import pytest

from rowwise.cli.words import near_spellings
from rowwise.vectors import Vectors


@pytest.mark.parametrize("name", ["v.txt", "v.safetensors"])
def test_files_of_vectors(rowwise, tmp_path, name):
    words = ["king", "queen", "车", "zero"]
    Vectors(words, [[1, 0], [3, 4], [-2, 0], [0, 0]]).save(tmp_path / name)
    done = rowwise("neighbors", tmp_path / name, "king")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == ["queen   0.600", "zero    0.000", "车     -1.000"]
    found = rowwise("neighbors", tmp_path / name, "king", "-n", 1, "--json").json
    assert found == {"word": "king", "neighbors": [{"word": "queen", "cosine": 0.6}]}
    assert "The row of 'zero' is all zeros" in rowwise("neighbors", tmp_path / name, "zero").err


def test_many_words_have_a_block_each(rowwise, tmp_path):
    words = ["king", "queen", "车", "new york"]
    Vectors(words, [[1, 0], [3, 4], [-2, 0], [0, 2]]).save(tmp_path / "v.safetensors")
    done = rowwise("neighbors", tmp_path / "v.safetensors", "new york", "king", "-n", 2)
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        "new york:",
        "  queen  0.800",
        "  king   0.000",
        "king:",
        "  queen     0.600",
        "  new york  0.000",
    ]
    found = rowwise("neighbors", tmp_path / "v.safetensors", "车", "king", "-n", 1, "--json")
    assert found.json_lines == [
        {"word": "车", "neighbors": [{"word": "new york", "cosine": 0.0}]},
        {"word": "king", "neighbors": [{"word": "queen", "cosine": 0.6}]},
    ]


def test_a_model_and_its_folder_agree(rowwise, trained):
    by_folder = rowwise("neighbors", trained.folder, "great", "--top", 3)
    assert len(by_folder.out.splitlines()) == 3
    assert by_folder == rowwise("neighbors", trained.folder / "model.keras", "great", "--top", 3)


def test_a_single_word_has_no_neighbors(rowwise, tmp_path):
    (tmp_path / "v.txt").write_text("alone 1 2\n")
    done = rowwise("neighbors", tmp_path / "v.txt", "alone")
    assert (done.code, done.out, done.err) == (0, "", "")


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("excelent", "excellent"),
        ("waitr", "waiter"),
        ("uqality", "quality"),
        ("东酉", None),
        ("xyzzy", None),
    ],
)
def test_near_spellings(word, expected):
    words = ["waiter", "excellent", "quality", "water", "soup", "服务"]
    assert next(iter(near_spellings(word, words)), None) == expected
