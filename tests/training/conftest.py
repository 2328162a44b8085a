"""What the tests of training have in common on every backend."""

from collections.abc import Iterator
from typing import Any

import pytest

from rowwise.backend import keras


@pytest.fixture(autouse=True, scope="session")
def one_gradient_for_each_row() -> Iterator[None]:
    """Let stock Keras on TensorFlow see what it sees on JAX and torch: sums for repeated ids.

    There it gets the gradient of a table as parts, one for each lookup, and its optimizers square
    the parts where elsewhere they square their sum. What rowwise gives is the same everywhere.
    """
    if keras.backend.backend() != "tensorflow":
        yield
        return
    import tensorflow as tf

    found = tf.GradientTape.gradient

    def summed(*args: Any, **kwargs: Any) -> Any:
        return keras.tree.map_structure(_summed, found(*args, **kwargs))

    def _summed(gradient: Any) -> Any:
        is_parts = isinstance(gradient, tf.IndexedSlices)
        return tf.convert_to_tensor(gradient) if is_parts else gradient

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tf.GradientTape, "gradient", summed)
        yield
