"""Numbering words by how often they occur, as Keras's ``Tokenizer`` does."""

from collections.abc import Mapping

import numpy as np

from rowwise.errors import InvalidArgumentError
from rowwise.text.vocabulary import Vocabulary


def number_words(word_counts: Mapping[str, int], oov_token: str | None) -> dict[str, int]:
    """Give ids from 1 on: the most frequent word first, of equals the first in ``word_counts``.

    An ``oov_token`` gets id 1; if it is a word of the texts too, it keeps that word's id, as in
    Keras.
    """
    words = list(word_counts)
    counts = np.fromiter(word_counts.values(), dtype=np.int64, count=len(words))
    by_count = [words[place] for place in np.argsort(-counts, kind="stable").tolist()]
    if oov_token is not None:
        by_count.insert(0, oov_token)
    return dict(zip(by_count, range(1, len(by_count) + 1), strict=True))


def numbered_vocabulary(
    word_index: Mapping[str, int],
    word_counts: Mapping[str, int],
    oov_token: str | None,
    num_words: int | None,
) -> Vocabulary:
    """Return numbered words as a ``Vocabulary`` with the same ids.

    Raises:
        InvalidArgumentError: there is no ``oov_token`` with id 1, or nothing was fitted.
    """
    if oov_token is None:
        raise InvalidArgumentError(
            "This tokenizer has no `oov_token`, so its id 1 is its most frequent word; in a "
            "Vocabulary id 1 is the unknown word. Make it with Tokenizer(oov_token='[UNK]') "
            "and fit it again, or use Vocabulary.build(texts)."
        )
    if oov_token not in word_index:
        raise InvalidArgumentError(
            f"The `oov_token` {oov_token!r} has no id yet: call fit_on_texts first."
        )
    if word_index[oov_token] != 1:
        raise InvalidArgumentError(
            f"The `oov_token` {oov_token!r} is also a word of the texts, so it does not "
            "have id 1. Choose an `oov_token` that no text holds and fit again."
        )
    words = sorted(word_index, key=word_index.__getitem__)[1:]
    if num_words:
        del words[max(num_words - 2, 0) :]
    return Vocabulary(words, [word_counts.get(word, 0) for word in words])
