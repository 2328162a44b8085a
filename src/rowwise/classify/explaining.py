"""``Explaining``: what each word of a text has to do with its label.

By leaving out: a word's share is how much less probable the label is without it (occlusion;
Zeiler and Fergus 2014 for parts of pictures, Li, Monroe and Jurafsky 2016 for words). That asks the
model alone, so it holds for every head.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import check_is_fitted

from rowwise.classify.inputs import as_texts
from rowwise.text.checks import as_text_list

if TYPE_CHECKING:
    from rowwise.text import Splitter, Vocabulary

# Rows of ids that are made at once.
BLOCK = 4096


@dataclass(frozen=True)
class WordShare:
    """A word at a place of a text, and its share in the decision."""

    word: str
    """As the classifier reads it, in lower case."""
    start: int
    """Its first character in the text."""
    end: int
    """The character after its last one."""
    share: float
    """The probability of the label minus that without this word, from -1 to 1."""


@dataclass(frozen=True, eq=False)
class Explanation:
    """The label of a text, and what each of its words has to do with it."""

    label: Any
    probabilities: npt.NDArray[np.float32]
    """(classes,), in the order of ``classes_``."""
    words: tuple[WordShare, ...]
    """In the order of the text."""


class Explaining:
    """What a classifier says about its decisions."""

    if TYPE_CHECKING:
        classes_: npt.NDArray[Any]
        vocabulary_: Vocabulary
        splitter_: Splitter
        max_length_: int

        def _probabilities(self, ids: npt.NDArray[np.int32]) -> npt.NDArray[np.float32]: ...

    def explain(self, X: Iterable[str]) -> list[Explanation]:
        """The labels of n texts and, for every word, its share in the decision.

        A word's share is the probability of the text's label minus the probability of that label
        for the text without this word. It is positive for words that speak for the label. Each
        occurrence is left out alone: of a word that stands there twice, the other one may hold
        the decision, and both shares be small. Shares do not add up to the probability. A word
        behind the first ``max_length_`` is not looked at and has share 0; where one of the first
        is left out, the next one moves up.

        A text of w words is classified w + 1 times, all of them in common batches.

        Args:
            X: n texts.

        Raises:
            InvalidTextError: one of the texts is not a string; the message names its position.
        """
        check_is_fitted(self, "model_")
        texts = as_text_list(as_texts(X))
        words = self.splitter_.split_all(texts).to_lists()
        ids = [self._ids_of(of_text) for of_text in words]
        counts = [1 + min(len(of_text), self.max_length_) for of_text in ids]
        rows = self._probabilities_without(ids, counts)
        explained = []
        for text, of_text, first, count in zip(
            texts, words, accumulate([0, *counts]), counts, strict=False
        ):
            whole = rows[first]
            label = int(whole.argmax())
            shares = np.zeros(len(of_text))
            shares[: count - 1] = float(whole[label]) - rows[first + 1 : first + count, label]
            places = find_words(text, of_text, self.splitter_.lower)
            pairs = zip(of_text, places, shares.tolist(), strict=True)
            found = tuple(WordShare(word, *place, share) for word, place, share in pairs)
            explained.append(Explanation(self.classes_[label], whole, found))
        return explained

    def _ids_of(self, words: list[str]) -> npt.NDArray[np.int32]:
        return np.array([self.vocabulary_[word] for word in words], dtype=np.int32)

    def _probabilities_without(
        self, ids: list[npt.NDArray[np.int32]], counts: list[int]
    ) -> npt.NDArray[np.float32]:
        """Probabilities (sum of ``counts``, classes): of each text, then without its words."""
        asked = [(text, left_out) for text, n in enumerate(counts) for left_out in range(-1, n - 1)]
        length = self.max_length_
        found = [np.empty((0, len(self.classes_)), dtype=np.float32)]
        for start in range(0, len(asked), BLOCK):
            block = asked[start : start + BLOCK]
            rows = np.zeros((len(block), length), dtype=np.int32)
            for row, (text, left_out) in zip(rows, block, strict=True):
                kept = ids[text][: length + 1]
                kept = (kept if left_out < 0 else np.delete(kept, left_out))[:length]
                row[: len(kept)] = kept
            # As for every text: one without a word is one unknown word.
            rows[rows[:, 0] == 0, 0] = self.vocabulary_.unknown_id
            found.append(self._probabilities(rows))
        return np.concatenate(found)


def find_words(text: str, words: list[str], lower: bool) -> list[tuple[int, int]]:
    """Where words stand in the text that they were cut from, in order: (start, end) of each.

    Args:
        text: the text.
        words: its words, as a splitter gives them.
        lower: whether the splitter made the text lower-case first.
    """
    read = text.lower() if lower else text
    # The lower case of a character may be several: "İ" is two. Which character of the text each
    # character of its lower case comes from:
    origin: Sequence[int] = range(len(text))
    if len(read) != len(text):
        origin = [i for i, character in enumerate(text) for _ in character.lower()]
    places = []
    end = 0
    for word in words:
        # Only what separates words lies between two of them, so the next place is the right one.
        start = read.index(word, end)
        end = start + len(word)
        places.append((origin[start], origin[end - 1] + 1))
    return places
