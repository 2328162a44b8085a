"""Dividing what takes long, so that others get their turn."""

from collections.abc import Iterator, Sequence

# Of texts or words that are worked on in one go. What takes a moment each is as good as never
# divided; of the longest texts, each is a turn of its own.
CHARACTERS = 4_000


def turns(texts: Sequence[str]) -> Iterator[slice]:
    """Slices of ``texts``, each with at most ``CHARACTERS`` or one text.

    One thread answers all questions. Asked for one slice after the other, it answers others' in
    between, and does no more for whoever does not wait any longer.
    """
    first, size = 0, 0
    for number, text in enumerate(texts):
        if number > first and size + len(text) > CHARACTERS:
            yield slice(first, number)
            first, size = number, 0
        size += len(text)
    if texts:
        yield slice(first, len(texts))
