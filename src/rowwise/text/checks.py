"""What the functions of this package accept, and the errors that name what came instead."""

import os
from collections.abc import Iterable, Sequence
from typing import NoReturn

from rowwise.errors import InvalidArgumentError, InvalidTextError

# One path or many.
Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]


def as_text_list(texts: Iterable[str], what: str = "texts") -> list[str]:
    """Return ``texts`` as a list after checking that every item is a ``str``.

    Raises:
        InvalidTextError: ``texts`` is one string, no iterable at all, or holds something that is
            not a string; the message names its position.
    """
    if isinstance(texts, str | bytes):
        raise InvalidTextError(
            f"`{what}` must be a list (or another iterable) of strings. "
            f"Received one {type(texts).__name__}: {shorten(texts)}. Put it into a list: [text]."
        )
    try:
        items = texts if isinstance(texts, list) else list(texts)
    except TypeError:
        raise InvalidTextError(
            f"`{what}` must be a list (or another iterable) of strings. "
            f"Received: {shorten(texts)} of type {type(texts).__name__}."
        ) from None
    require_strings(items, what)
    return items


def require_strings(items: list[str], what: str = "texts") -> None:
    """Check that every item is a ``str``.

    Raises:
        InvalidTextError: an item is not; the message names its position.
    """
    # The set of types at once is ten times as fast as a loop over isinstance.
    if all(issubclass(kind, str) for kind in set(map(type, items))):
        return
    for position, item in enumerate(items):
        if not isinstance(item, str):
            not_a_text(item, position, what)


def not_a_text(item: object, position: int, what: str = "texts") -> NoReturn:
    """Raise the error for something among the texts that is not a text."""
    missing = "Replace missing texts by '' or leave them out."
    hint = missing if is_missing(item) else "Convert it first."
    raise InvalidTextError(
        f"`{what}` must hold strings only. Received {shorten(item)} of type "
        f"{type(item).__name__} at position {position}. {hint}"
    )


def is_missing(value: object) -> bool:
    """Whether a value is None, NaN or pandas's NA, which mark what is missing."""
    is_nan = isinstance(value, float) and value != value
    return value is None or is_nan or type(value).__name__ == "NAType"


def require_unicode(text: str, position: int) -> None:
    """Check that UTF-8 can hold a text.

    Raises:
        InvalidTextError: the text holds a lone surrogate.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        place = error.start
        raise InvalidTextError(
            f"The text at position {position} holds half of a surrogate pair, {text[place]!r}, as "
            f"its character {place}, which is no character of Unicode. It usually comes from "
            "decoding with errors='surrogateescape'; decode with errors='replace' instead."
        ) from None


def raise_for_repeat(words: list[str], reserved: Sequence[str]) -> NoReturn:
    """Raise the error for a word that is reserved, or there twice.

    Args:
        words: the words of a vocabulary, of which one is so.
        reserved: words that must not be among them.
    """
    first_place: dict[str, int] = {}
    for position, word in enumerate(words):
        if word in reserved:
            raise InvalidTextError(
                f"`words` must not hold the reserved word {word!r} (position {position}): give the "
                "real words only; padding and the unknown word are added in front of them."
            )
        if word in first_place:
            raise InvalidTextError(
                f"`words` holds {word!r} twice, at positions {first_place[word]} and {position}. "
                "A word has one id: remove one of the two."
            )
        first_place[word] = position
    raise AssertionError("A repeated word was expected.")


def checked_counts(counts: Iterable[int] | None, size: int) -> tuple[int, ...] | None:
    """Return the counts of a vocabulary's words, with 0 for the two reserved ones in front.

    Raises:
        InvalidArgumentError: there are not ``size``, or one is not a whole number of at least 0.
    """
    if counts is None:
        return None
    given = list(counts)
    if len(given) != size:
        raise InvalidArgumentError(
            f"`counts` must hold one count per word: {size}. Received: {len(given)}"
        )
    for position, count in enumerate(given):
        if isinstance(count, bool) or not hasattr(count, "__index__") or count < 0:
            raise InvalidArgumentError(
                "`counts` must hold whole numbers of at least 0. "
                f"Received: {count!r} at position {position}"
            )
    return (0, 0, *map(int, given))


def path_list(paths: Paths) -> list[str | os.PathLike[str]]:
    """``paths`` as a list.

    Raises:
        InvalidArgumentError: there are none.
    """
    given = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    if not given:
        raise InvalidArgumentError("`paths` must name at least one file. Received none.")
    return given


def require_format(value: str | None, formats: Iterable[str]) -> None:
    """Raise an InvalidArgumentError unless ``format`` is one of ``formats``, or None."""
    if value is not None and value not in formats:
        raise InvalidArgumentError(
            f"`format` must be one of {', '.join(formats)}. Received: {value!r}."
        )


def require_side(name: str, value: str) -> None:
    """Check that ``value`` is "pre" or "post".

    Raises:
        InvalidArgumentError: it is neither.
    """
    if value not in ("pre", "post"):
        raise InvalidArgumentError(f"`{name}` must be 'pre' or 'post'. Received: {value!r}")


def require_length(name: str, value: int | None) -> None:
    """Check that ``value`` is a whole number of at least 0, or None.

    Raises:
        InvalidArgumentError: it is not.
    """
    if value is None:
        return
    if isinstance(value, bool) or not hasattr(value, "__index__") or value < 0:
        raise InvalidArgumentError(
            f"`{name}` must be a whole number of at least 0, or None. Received: {value!r}"
        )


def shorten(value: object, limit: int = 60) -> str:
    """Return the ``repr`` of a value, cut so that it fits into a message."""
    if isinstance(value, str | bytes):
        value = value[:limit]
    shown = repr(value)
    return shown if len(shown) <= limit else f"{shown[: limit - 3]}..."
