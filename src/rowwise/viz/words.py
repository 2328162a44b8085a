"""Which words a picture shows."""

from collections.abc import Sequence

from rowwise.errors import InvalidArgumentError
from rowwise.vectors import Vectors


def chosen_words(vectors: Vectors, words: Sequence[str] | None, first: int) -> list[str]:
    """``words``, or the ``first`` ones of the vectors.

    Raises:
        UnknownWordError: a word that ``vectors`` does not hold.
        InvalidArgumentError: no words, or a word twice.
    """
    if isinstance(words, str):
        raise InvalidArgumentError(f"`words` must be a list of words. Received: {words!r}.")
    chosen = list(vectors.words[:first] if words is None else words)
    if not chosen:
        raise InvalidArgumentError("A map needs at least one word. Received none.")
    seen: set[str] = set()
    for word in chosen:
        vectors.index(word)  # raises for a word without a row
        if word in seen:
            raise InvalidArgumentError(
                f"`words` must name each word once. {word!r} is there twice."
            )
        seen.add(word)
    return chosen
