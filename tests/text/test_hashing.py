"""Ids from hashing: as Keras's, and the same in every process."""

import os
import subprocess
import sys
from typing import Any

import pytest
from keras_preprocessing import text as keras_text
from text_corpora import CORPORA

from rowwise.text import hashing_trick, one_hot

SCRIPT = """
from rowwise.text import hashing_trick, one_hot
text = "The cat sat, on the mat; 안녕 İ"
print(one_hot(text, 1000), hashing_trick(text, 50))
"""


@pytest.mark.parametrize("corpus", CORPORA)
@pytest.mark.parametrize("options", [{}, {"lower": False, "filters": "a,"}, {"split": ","}])
def test_same_as_keras(corpus: str, options: dict[str, Any]) -> None:
    for text in CORPORA[corpus]:
        md5 = keras_text.hashing_trick(text, 97, hash_function="md5", **options)
        assert hashing_trick(text, 97, hash_function="md5", **options) == md5
        assert hashing_trick(text, 97, **options) == md5
        assert one_hot(text, 97, **options) == md5
        salted = keras_text.hashing_trick(text, 97, hash_function=hash, **options)
        assert hashing_trick(text, 97, hash_function=hash, **options) == salted
        assert hashing_trick(text, 97, len, **options) == keras_text.hashing_trick(
            text, 97, len, **options
        )


def test_same_in_every_process() -> None:
    outputs = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env={**os.environ, "PYTHONHASHSEED": salt},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for salt in ("1", "2")
    }
    assert len(outputs) == 1
    assert all(1 <= id < 1000 for id in one_hot("a b c d e f g h", 1000))


def test_analyzer() -> None:
    text = "one two"
    assert one_hot("One|Two", 50, analyzer=lambda t: t.lower().split("|")) == one_hot(text, 50)
