"""Backends that compute at once, such as NumPy's."""

from collections.abc import Callable
from typing import Any

import numpy as np


def call_host(flag: Any, values: Any, function: Callable[[Any], None]) -> None:
    """See ``rowwise.backend.host``."""
    if bool(flag):
        function(np.asarray(values))


def wait_for_host() -> None:
    """See ``rowwise.backend.host``; nothing is ever pending."""
