"""What is wanted of a file: which words, which numbers, how much tolerance."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rowwise.errors import InvalidArgumentError
from rowwise.text import Tokenizer
from rowwise.text.progress import Progress

DTYPES = ("float16", "float32", "float64")


@dataclass(frozen=True)
class Request:
    """The arguments of ``Vectors.load``, checked."""

    limit: int | None = None
    only: frozenset[str] | None = None
    lowercase: bool = False
    dtype: npt.DTypeLike = "float32"
    strict: bool = False
    member: str | int | None = None
    unpickle: bool = False
    words: str | None = None
    progress: Progress | None = None


def check_dtype(dtype: Any) -> np.dtype[Any]:
    """``dtype`` as one of the three that rows may have; InvalidArgumentError otherwise."""
    try:
        found: np.dtype[Any] = np.dtype("V" if dtype is None else dtype)
    except TypeError:
        found = np.dtype("V")  # which is none of the three
    if found.name not in DTYPES or not found.isnative:
        raise InvalidArgumentError(
            f"`dtype` must be one of {', '.join(DTYPES)}. Received: {dtype!r}."
        )
    return found


def check_limit(limit: Any) -> int | None:
    """``limit`` as a positive whole number or None; InvalidArgumentError otherwise."""
    if limit is None:
        return None
    if isinstance(limit, bool) or not isinstance(limit, (int, np.integer)) or limit < 1:
        raise InvalidArgumentError(
            f"`limit` must be a positive whole number of rows, or None. Received: {limit!r}."
        )
    return int(limit)


def wanted_words(only: Any) -> frozenset[str] | None:
    """The set of words that ``only`` stands for.

    Args:
        only: None, a ``Vocabulary``, a tokenizer with ``word_index``, or words.

    Raises:
        InvalidArgumentError: one string, or something that is not a string among the words.
    """
    if only is None:
        return None
    if isinstance(only, str | bytes):
        raise InvalidArgumentError(
            f"`only` must be several words, not one string. Received: {only!r}. Write [{only!r}]."
        )
    if isinstance(only, Tokenizer) and not only.word_index:
        raise InvalidArgumentError(
            "The tokenizer given as `only` knows no words yet: call fit_on_texts first."
        )
    words: Iterable[Any] = getattr(only, "word_index", None) or getattr(only, "words", None) or only
    try:
        found = frozenset(words)
    except TypeError as error:
        raise InvalidArgumentError(
            "`only` must be a Vocabulary, a tokenizer or words. "
            f"Received a value of type {type(only).__name__}."
        ) from error
    for word in found:
        if not isinstance(word, str):
            raise InvalidArgumentError(f"`only` must hold strings. Received {word!r} among them.")
    return found
