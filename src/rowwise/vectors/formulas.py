"""Formulas of words: ``king - man + woman``."""

from rowwise.errors import InvalidArgumentError

_SIGNS = "+-"
_QUOTES = "'\""


def parse_formula(formula: str) -> tuple[list[str], list[str]]:
    """The words that are added and those that are taken away.

    A word ends at white space, + or -. One that holds any of these stands in single or double
    quotes: ``"new york" - 'vice-president'``. An apostrophe within a word is part of it.

    Raises:
        InvalidArgumentError: something else than words with + or - between them.
    """
    if not isinstance(formula, str):
        raise InvalidArgumentError(
            f"A formula must be a string such as 'king - man + woman'. Received: {formula!r}."
        )
    added: list[str] = []
    taken: list[str] = []
    place = _after_spaces(formula, 0)
    sign = "+"
    if formula[place : place + 1] in tuple(_SIGNS):
        sign = formula[place]
        place = _after_spaces(formula, place + 1)
    while True:
        word, place = _read_word(formula, place)
        (added if sign == "+" else taken).append(word)
        place = _after_spaces(formula, place)
        if place == len(formula):
            return added, taken
        sign = formula[place]
        if sign not in _SIGNS:
            raise InvalidArgumentError(
                f"Expected + or - after {word!r} in the formula {formula!r}. Found: "
                f"{formula[place:]!r}. Put a word that holds spaces or signs into quotes."
            )
        place = _after_spaces(formula, place + 1)


def _after_spaces(formula: str, place: int) -> int:
    return len(formula) - len(formula[place:].lstrip())


def _read_word(formula: str, place: int) -> tuple[str, int]:
    """The word that begins at ``place``, and where it ends."""
    quote = formula[place : place + 1]
    if quote and quote in _QUOTES:
        end = formula.find(quote, place + 1)
        if end < 0:
            raise InvalidArgumentError(
                f"The quote before {formula[place + 1 :]!r} is never closed in the formula "
                f"{formula!r}."
            )
        return formula[place + 1 : end], end + 1
    end = place
    while end < len(formula) and not formula[end].isspace() and formula[end] not in _SIGNS:
        end += 1
    if end == place:
        where = f"at {formula[place:]!r}" if formula[place:] else "at its end"
        raise InvalidArgumentError(
            f"Expected a word {where} in the formula {formula!r}. Put a word that holds spaces or "
            "signs into quotes."
        )
    return formula[place:end], end
