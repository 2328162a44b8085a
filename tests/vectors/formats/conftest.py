"""Warm vectors to write, and the formats that hold them."""

from typing import NamedTuple

import numpy as np
import pytest

from rowwise.vectors import Vectors

# Words that trip readers up; none has a space or a line break.
WORDS = [
    "the",
    "\x85",
    "\u2028x",
    "猫",
    "é",
    "👍🏽",
    '"',
    ",",
    "-0.5",
    "5",
    "</s>",
    "\u00a0",
    "NA",
    "#",
]


class Case(NamedTuple):
    """A format, a name to save by, and how much it holds."""

    name: str
    file: str
    words: str = "plain"
    """``plain``: no space or line break; ``lines``: no line break; ``any``."""
    float32: bool = False
    """Whether numbers become float32."""


CASES = [
    Case("rowwise", "v.safetensors", "any"),
    Case("word2vec-text", "v.txt"),
    Case("word2vec-text", "v.vec"),
    Case("glove", "v.glove"),
    Case("word2vec-binary", "v.w2v", float32=True),
    Case("fasttext", "v.ft", float32=True),
    Case("finalfusion", "v.fifu", "any", float32=True),
    Case("npy", "v.npy", "lines"),
    Case("model2vec", "folder", "any"),
    Case("tensorboard", "folder", "lines"),
    Case("word2vec-text", "v.vec.gz"),
    Case("word2vec-text", "v.vec.bz2"),
    Case("word2vec-text", "v.vec.xz"),
    Case("word2vec-text", "v.vec.zst"),
    Case("word2vec-binary", "v.w2v.zst", float32=True),
    Case("fasttext", "v.ft.gz", float32=True),
    Case("finalfusion", "v.fifu.xz", "any", float32=True),
]
IDS = [f"{case.name}-{case.file}" for case in CASES]


@pytest.fixture(params=CASES, ids=IDS)
def case(request: pytest.FixtureRequest) -> Case:
    return request.param


@pytest.fixture(params=[case for case in CASES if case.file.count(".") < 2], ids=lambda c: c.name)
def unpacked_case(request: pytest.FixtureRequest) -> Case:
    return request.param


@pytest.fixture(scope="session")
def some() -> Vectors:
    rows = np.random.default_rng(0).normal(size=(len(WORDS), 7)).astype("float32")
    rows[0] = [0, -0.0, 1e-38, 3.4e38, 1 / 3, -1e-45, 16777217]
    return Vectors(WORDS, rows)
