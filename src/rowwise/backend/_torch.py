"""PyTorch: calls to the host."""

from collections.abc import Callable
from typing import Any

import torch


def call_host(flag: Any, values: Any, function: Callable[[Any], None]) -> None:
    """See ``rowwise.backend.host``. Tensors on the meta device have a shape and no values."""
    if flag.device.type == "meta" or torch.compiler.is_compiling():
        return
    try:
        wrong = bool(flag)
    except RuntimeError:
        return  # under `vmap` a value is not known, and nothing can be called when it is
    if wrong:
        function(values.detach().cpu().numpy())


def wait_for_host() -> None:
    """See ``rowwise.backend.host``; Keras runs PyTorch eagerly."""
