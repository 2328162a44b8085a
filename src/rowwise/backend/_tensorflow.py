"""TensorFlow: calls to the host from compiled functions."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf


def call_host(flag: Any, values: Any, function: Callable[[Any], None]) -> None:
    """See ``rowwise.backend.host``. XLA cannot call the host: layers that check do without it."""
    if tf.executing_eagerly():
        if flag:
            function(np.asarray(values))
        return

    def raise_on_host(host: Any) -> Any:
        # TensorFlow ends the compiled function for an exception, and no state is lost by it.
        function(host)
        return np.int32(0)

    tf.cond(
        flag,
        lambda: tf.numpy_function(raise_on_host, [values], tf.int32),
        lambda: tf.constant(0, tf.int32),
    )


def wait_for_host() -> None:
    """See ``rowwise.backend.host``; TensorFlow's calls have ended when the function has."""
