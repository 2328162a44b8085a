"""finalfusion's files, as its package 0.7.1 wrote them.

``finalfusion_files.json`` has small files (base64), the rows of their words, and the means of the
n-grams' rows of strange words, as the package gives them. It is compiled when it is installed, so
the tests do not need it.
"""

import base64
import json
from pathlib import Path

import numpy as np
import pytest

from rowwise.vectors import Vectors

FILES = json.loads((Path(__file__).parent / "finalfusion_files.json").read_text(encoding="utf-8"))
WORDS = ("the", "猫", "über", "new york")


@pytest.mark.parametrize("name", FILES)
def test_files_of_finalfusion(name: str, tmp_path: Path) -> None:
    case = FILES[name]
    (tmp_path / "v.fifu").write_bytes(base64.b64decode(case["file"]))
    ours = Vectors.load(tmp_path / "v.fifu")
    assert ours.words == WORDS
    assert np.allclose(ours.rows, case["rows"], atol=1e-6)
    assert (ours.subwords is not None) == bool(case["strange"])
    for word, expected in case["strange"].items():
        made = ours.subwords.vector(word)
        assert (made is None) == (expected is None)
        assert made is None or np.allclose(made, expected, atol=1e-6)


@pytest.mark.parametrize("name", ["plain", "fasttext", "finalfusion"])
def test_what_is_written_again_is_the_same_file(name: str, tmp_path: Path) -> None:
    whole = base64.b64decode(FILES[name]["file"])
    (tmp_path / "v.fifu").write_bytes(whole)
    Vectors.load(tmp_path / "v.fifu").save(tmp_path / "again.fifu")
    assert (tmp_path / "again.fifu").read_bytes() == whole
