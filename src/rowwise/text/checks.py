"""What the functions of this package accept, and the errors that name what came instead."""

from collections.abc import Iterable
from typing import NoReturn

from rowwise.errors import InvalidArgumentError, InvalidTextError


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
