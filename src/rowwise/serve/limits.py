"""How much one request, and all of them together, may ask of a server."""

import math
from dataclasses import asdict, dataclass
from typing import Any

from rowwise.errors import InvalidArgumentError


@dataclass(frozen=True)
class Limits:
    """What is too much; a request beyond it is answered by an error that names the limit.

    Raises:
        InvalidArgumentError: a limit is not a positive number, or not a whole one where it counts
            something.
    """

    body_bytes: int = 1 << 20
    """Bytes of a request's body, also of one that comes in chunks without a length."""
    batch: int = 256
    """Words or texts of a request."""
    explained: int = 16
    """Texts of a request that are explained: each is classified once for every word."""
    k: int = 1_000
    """Neighbours of a word."""
    characters: int = 10_000
    """Characters of a text, a word or a formula."""
    seconds: float = 10.0
    """For the head of a request; and then again, to the end of its answer."""
    waiting: int = 1_024
    """Requests that wait to be answered; a further one is told to come again."""

    def __post_init__(self) -> None:
        """Check every limit."""
        for name, value in asdict(self).items():
            check_limit(name, value, whole=name != "seconds")


def check_limit(name: str, value: Any, *, whole: bool) -> None:
    """Raise an InvalidArgumentError unless ``value`` can be the limit ``name``."""
    is_number = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
    if not is_number or not 0 < value < math.inf:
        what = "a positive whole number" if whole else "a positive number"
        raise InvalidArgumentError(f"`{name}` must be {what}. Received: {value!r}.")
