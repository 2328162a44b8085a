"""JAX: calls to the host from compiled functions. Needs jax >= 0.6."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np


def call_host(flag: Any, values: Any, function: Callable[[Any], None]) -> None:
    """See ``rowwise.backend.host``."""
    from rowwise.backend.host import raise_or_collect, report

    if not isinstance(flag, jax.core.Tracer):
        if flag:
            # Without compilation, too, Keras's trainer would lose the weights by an exception.
            raise_or_collect(function, np.asarray(values))
        return
    # Under `vmap` both branches run, so `function` is to look again and not trust the flag.
    jax.lax.cond(
        flag,
        lambda ids: jax.debug.callback(lambda host: report(function, host), ids),
        lambda _: None,
        values,
    )


def wait_for_host() -> None:
    """See ``rowwise.backend.host``."""
    jax.effects_barrier()  # type: ignore[no-untyped-call]
