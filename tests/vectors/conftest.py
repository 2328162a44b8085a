"""Vectors that several tests look at."""

import gc
import warnings
from pathlib import Path
from typing import Any

import pytest
from gensim.models import KeyedVectors

from rowwise.vectors import Vectors


@pytest.fixture(scope="session")
def glove_path(shared_data: Path) -> Path:
    return shared_data / "vectors" / "glove.6B.50d.5k.txt"


@pytest.fixture(scope="session")
def glove(glove_path: Path) -> Vectors:
    return Vectors.load(glove_path)


@pytest.fixture(scope="session")
def gensim_glove(glove_path: Path) -> Any:
    """The same file, read by gensim, which leaves it open."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        read = KeyedVectors.load_word2vec_format(str(glove_path), no_header=True)
        gc.collect()
    return read
