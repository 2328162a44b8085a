"""What a ``Tokenizer`` has counted and numbered."""

from collections import Counter, OrderedDict, defaultdict
from collections.abc import Iterable
from itertools import repeat
from operator import add

import numpy as np
from numpy.typing import NDArray

from rowwise.errors import InvalidArgumentError
from rowwise.text.numbering import number_words, numbered_vocabulary
from rowwise.text.vocabulary import Vocabulary

LEFT_OUT = -1


class WordTables:
    """The tables of a ``Tokenizer``, and looking words up in them.

    Args:
        num_words: only ids below this number are given out; None: all.
        oov_token: the word that stands for unknown words; None: they are left out.
        document_count: the number of texts seen so far.
    """

    def __init__(self, num_words: int | None, oov_token: str | None, document_count: int) -> None:
        self.num_words = num_words
        self.oov_token = oov_token
        self.document_count = document_count
        self.word_counts: OrderedDict[str, int] = OrderedDict()
        self.word_docs: defaultdict[str, int] = defaultdict(int)
        self.index_docs: defaultdict[int, int] = defaultdict(int)
        self.word_index: dict[str, int] = {}
        self.index_word: dict[int, str] = {}

    def fit_on_sequences(self, sequences: Iterable[Iterable[int]]) -> None:
        """Count in how many sequences each id occurs, as ``sequences_to_matrix`` needs it."""
        docs: Counter[int] = Counter()
        for ids in sequences:
            self.document_count += 1
            docs.update(set(ids))
        for id, count in docs.items():
            self.index_docs[id] = self.index_docs.get(id, 0) + count

    @property
    def vocabulary(self) -> Vocabulary:
        """The tokenizer's words as a ``Vocabulary`` with the same ids.

        Raises:
            InvalidArgumentError: there is no ``oov_token``, so that id 1 is a word and not the
                unknown word; or nothing was fitted.
        """
        return numbered_vocabulary(
            self.word_index, self.word_counts, self.oov_token, self.num_words
        )

    def _add(self, words: list[str], counts: list[int], text_counts: list[int], texts: int) -> None:
        """Add the words of some texts, in the order in which they are first seen there."""
        self.document_count += texts
        _add(self.word_counts, words, counts)
        _add(self.word_docs, words, text_counts)

    def _number(self) -> None:
        """Number all words anew."""
        self.word_index = number_words(self.word_counts, self.oov_token)
        self.index_word = {id: word for word, id in self.word_index.items()}
        ids = map(self.word_index.__getitem__, self.word_docs)
        self.index_docs.update(zip(ids, self.word_docs.values(), strict=True))

    def _unknown_id(self) -> int | None:
        if self.oov_token is None:
            return None
        if self.oov_token not in self.word_index:
            raise InvalidArgumentError(
                f"The `oov_token` {self.oov_token!r} has no id yet: call fit_on_texts first."
            )
        return self.word_index[self.oov_token]

    def _ids_of(self, words: list[str]) -> NDArray[np.int32]:
        """Return the ids of words, int32; ``LEFT_OUT`` for those that get none."""
        unknown_id = self._unknown_id()
        found = map(self.word_index.get, words, repeat(LEFT_OUT))
        ids = np.fromiter(found, dtype=np.int32, count=len(words))
        is_unknown = ids == LEFT_OUT
        if self.num_words:
            is_unknown |= ids >= self.num_words
        ids[is_unknown] = LEFT_OUT if unknown_id is None else unknown_id
        return ids


def _add(totals: dict[str, int], words: list[str], counts: list[int]) -> None:
    before = list(map(totals.get, words, repeat(0)))
    totals.update(zip(words, map(add, before, counts), strict=True))
