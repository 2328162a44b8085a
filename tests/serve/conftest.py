"""Vectors and a classifier to serve, and clients for them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from rowwise import TextClassifier, Vectors
from rowwise.serve import create_app

WORDS = ["king", "queen", "man", "woman", "boy", "girl", "apple", "new york", "naïve", "broken"]
ROWS = [
    [0.9, 0.9, 0.1],
    [0.9, -0.8, 0.1],
    [0.1, 0.9, 0.2],
    [0.1, -0.8, 0.2],
    [-0.3, 0.8, 0.3],
    [-0.3, -0.9, 0.3],
    [-0.2, 0.0, -1.0],
    [-0.2, 0.1, -0.9],
    [0.3, 0.1, -0.4],
    [np.nan, 0.1, 0.2],
]
TEXTS = ["good fun", "great film , good", "a great time", "bad soup", "awful film", "a bad time"]
LABELS = ["yes", "yes", "yes", "no", "no", "no"]

Client = Callable[..., TestClient]


@pytest.fixture(scope="session")
def vectors() -> Vectors:
    return Vectors(WORDS, ROWS)


@pytest.fixture(scope="session")
def classifier() -> TextClassifier:
    options: dict[str, Any] = {"output_dim": 8, "pair_buckets": 64, "max_length": 6, "epochs": 4}
    return TextClassifier(**options, random_state=0).fit(TEXTS * 4, LABELS * 4)


@pytest.fixture
def serve() -> Iterator[Client]:
    """A client of an application, which is started and stopped as a server does it."""
    with ExitStack() as stack:

        def start(model: Any, headers: dict[str, str] | None = None, **options: Any) -> TestClient:
            app = create_app(model, **options)
            return stack.enter_context(
                TestClient(app, base_url="http://localhost", headers=headers)
            )

        yield start


@pytest.fixture
def client(serve: Client, vectors: Vectors) -> TestClient:
    return serve(vectors)


@pytest.fixture(scope="session")
def words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Vectors that a search takes some milliseconds for."""
    path = tmp_path_factory.mktemp("serve") / "words.safetensors"
    rows = np.random.default_rng(0).standard_normal((50_000, 50), dtype=np.float32)
    Vectors([f"w{number}" for number in range(50_000)], rows).save(path)
    return path
