"""What the tests of text share: the peer, and texts that are hard to cut."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from keras_preprocessing import sequence as keras_sequence


@pytest.fixture
def keras_pad(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """The `pad_sequences` of keras-preprocessing, which asks NumPy for a name that 2.0 removed."""
    monkeypatch.setattr(np, "unicode_", np.str_, raising=False)
    return keras_sequence.pad_sequences
