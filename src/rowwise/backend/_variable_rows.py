"""What backends have in common where tables are variables and no shape has to be known before."""

from collections.abc import Callable
from typing import Any

import keras

HAS_VARIABLES = True

# So many numbers are spread at once, which bounds the memory that they need.
SPREAD = 1 << 22

# Rows of a flush that are caught up at once: starting an operation then costs little beside it.
# Elsewhere than on a CPU it takes more of them.
FLUSH, FLUSH_ELSEWHERE = 8192, 1 << 16


def batch_block(most: int) -> int:
    """See ``rowwise.backend.rows``."""
    del most
    return 0


def batch_room(most: int, block: int) -> int:
    """See ``rowwise.backend.rows``."""
    del most, block
    return 0


def gradient_by(watched_gradients: Callable[..., Any]) -> Callable[..., Any]:
    """The ``value_and_gradient`` of a module, see ``rowwise.backend.rows``, by what it has."""

    def value_and_gradient(function: Callable[..., Any]) -> Callable[..., Any]:
        def differentiated(argument: Any, *others: Any) -> tuple[Any, Any]:
            result, gradients = watched_gradients(
                lambda watched: function(keras.tree.map_structure(watched, argument), *others)
            )
            return result, keras.tree.pack_sequence_as(argument, gradients)

        return differentiated

    return value_and_gradient
