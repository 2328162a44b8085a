"""The framework below Keras: which one runs, and what only it can do.

Import Keras through here, ``from rowwise.backend import keras``: Keras reads its backend once,
when it is first imported, and on a machine without TensorFlow it fails unless one was chosen.
"""

from rowwise.backend.choice import choose_backend

CHOICE = choose_backend()

import keras  # noqa: E402  (the backend has to be chosen before)

from rowwise.backend.host import (  # noqa: E402
    check_array,
    check_on_host,
    collect_errors,
    without_checks,
)
from rowwise.backend.rows import rows  # noqa: E402
from rowwise.backend.shards import shards_of  # noqa: E402
from rowwise.backend.trainers import trainer  # noqa: E402

__all__ = [
    "CHOICE",
    "check_array",
    "check_on_host",
    "collect_errors",
    "keras",
    "rows",
    "shards_of",
    "trainer",
    "without_checks",
]
