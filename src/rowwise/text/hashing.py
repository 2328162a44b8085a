"""Ids of words without a vocabulary: the hash of the word, modulo the number of ids."""

from collections.abc import Callable, Iterable
from hashlib import md5

from rowwise.errors import InvalidArgumentError
from rowwise.text.splitting import DEFAULT_FILTERS, text_to_word_sequence


def hashing_trick(
    text: str,
    n: int,
    hash_function: Callable[[str], int] | str | None = None,
    filters: Iterable[str] = DEFAULT_FILTERS,
    lower: bool = True,
    split: str | None = " ",
    analyzer: Callable[[str], Iterable[str]] | None = None,
) -> list[int]:
    """Turn a text into ids in [1, n), as the Keras function of this name.

    Two words may share an id. Unlike in Keras, the default gives the same ids in every process
    and on every machine: it is MD5, the same as Keras's ``hash_function="md5"``.

    Args:
        text: the text.
        n: the number of ids, 0 (padding) included.
        hash_function: a function from a word to an int; None or "md5": MD5.
        filters: characters that separate words, beside ``split``.
        lower: whether to make the text lower-case first.
        split: what separates words.
        analyzer: cuts the text into words instead of ``filters``, ``lower`` and ``split``.

    Raises:
        InvalidTextError: ``text`` is not a string.
        InvalidArgumentError: ``n`` is not a whole number of at least 2, or ``hash_function`` is
            neither a function nor "md5".
    """
    if isinstance(n, bool) or not hasattr(n, "__index__") or n < 2:
        raise InvalidArgumentError(
            "`n` must be a whole number of at least 2: id 0 is padding, words get [1, n). "
            f"Received: {n!r}"
        )
    if hash_function is None or hash_function == "md5":
        hash_function = _md5
    if not callable(hash_function):
        raise InvalidArgumentError(
            "`hash_function` must be a function from a word to an int, 'md5' or None. "
            f"Received: {hash_function!r}"
        )
    if analyzer is None:
        words: Iterable[str] = text_to_word_sequence(text, filters, lower, split)
    else:
        words = analyzer(text)
    return [hash_function(word) % (n - 1) + 1 for word in words]


def one_hot(
    text: str,
    n: int,
    filters: Iterable[str] = DEFAULT_FILTERS,
    lower: bool = True,
    split: str | None = " ",
    analyzer: Callable[[str], Iterable[str]] | None = None,
) -> list[int]:
    """Turn a text into ids in [1, n) by hashing its words, as the Keras function of this name.

    Keras's ids change from run to run, because Python salts ``hash``; these do not. Arguments
    and errors are those of ``hashing_trick``.
    """
    return hashing_trick(text, n, None, filters, lower, split, analyzer)


def _md5(word: str) -> int:
    return int.from_bytes(md5(word.encode(), usedforsecurity=False).digest(), "big")
