"""The words of a table: which id each has."""

import json
from collections.abc import Iterable, Iterator
from itertools import repeat
from typing import Any, ClassVar, NoReturn

import numpy as np
from numpy.typing import NDArray

from rowwise.errors import InvalidArgumentError, InvalidIdError, InvalidTextError
from rowwise.text.checks import (
    Paths,
    as_text_list,
    checked_counts,
    raise_for_repeat,
    shorten,
)
from rowwise.text.choosing import most_frequent, require_sizes
from rowwise.text.encoded import EncodedTexts, pad_rows
from rowwise.text.keras_words import words_of_layer
from rowwise.text.splitting import Splitter


class Vocabulary:
    """Words and their ids; a value that never changes.

    Id 0 is padding (the empty word), id 1 stands for every unknown word, the words follow from
    id 2 on. ``len(vocabulary)`` counts all of them: it is the ``input_dim`` of an embedding.

    Args:
        words: the real words in the order of their ids, without the two reserved ones.
        counts: how often each of ``words`` occurred, or None.

    Raises:
        InvalidTextError: a word is empty, reserved, there twice or not a string, or ``words`` is
            one string; the message names its position.
        InvalidArgumentError: ``counts`` has another length than ``words``, or a count is not a
            whole number of at least 0.
    """

    padding: ClassVar[str] = ""
    unknown: ClassVar[str] = "[UNK]"
    padding_id: ClassVar[int] = 0
    unknown_id: ClassVar[int] = 1

    __slots__ = ("_counts", "_ids", "_words")
    _words: tuple[str, ...]
    _counts: tuple[int, ...] | None
    _ids: dict[str, int]

    def __init__(self, words: Iterable[str], counts: Iterable[int] | None = None) -> None:
        real = as_text_list(words, "words")
        all_words = (self.padding, self.unknown, *real)
        ids = dict(zip(all_words, range(len(all_words)), strict=True))
        if len(ids) != len(all_words):
            raise_for_repeat(real, (self.padding, self.unknown))
        object.__setattr__(self, "_words", all_words)
        object.__setattr__(self, "_ids", ids)
        object.__setattr__(self, "_counts", checked_counts(counts, len(real)))

    @classmethod
    def from_words(cls, words: Iterable[str]) -> "Vocabulary":
        """Make a vocabulary of the real words in the order of their ids, which begin at 2."""
        return cls(words)

    @classmethod
    def from_keras(cls, layer: Any) -> "Vocabulary":
        """Take over the words of a Keras ``TextVectorization`` or ``StringLookup``, with their ids.

        Args:
            layer: an adapted layer that turns text into ids, with a padding word at id 0 and one
                unknown word at id 1; for ``StringLookup`` that is ``mask_token=""`` and
                ``num_oov_indices=1``.

        Raises:
            InvalidArgumentError: the layer's ids follow another convention.
        """
        return cls(words_of_layer(layer))

    @classmethod
    def build(
        cls,
        texts: Iterable[str],
        splitter: Splitter | None = None,
        max_size: int | None = None,
        min_count: int = 1,
    ) -> "Vocabulary":
        """Take the words of texts, the most frequent first, of equals the first seen first.

        Args:
            texts: strings.
            splitter: how to cut them into words; as Keras's ``Tokenizer`` by default.
            max_size: the largest ``len(vocabulary)``, the two reserved ids included.
            min_count: leave out words that occur less often.

        Raises:
            InvalidTextError: an item of ``texts`` is not a string.
            InvalidArgumentError: ``max_size`` is less than 2 or ``min_count`` negative.
        """
        require_sizes(max_size, min_count)
        found = (splitter or Splitter()).split_all(texts)
        counts = found.counts()
        unknown = found.unique.index(cls.unknown) if cls.unknown in found.unique else None
        kept = most_frequent(counts, max_size, min_count, unknown)
        return cls([found.unique[place] for place in kept.tolist()], counts[kept].tolist())

    @classmethod
    def count(
        cls,
        paths: Paths,
        splitter: Splitter | None = None,
        max_size: int | None = None,
        min_count: int = 1,
        *,
        text: str | None = None,
        format: str | None = None,
        workers: int | None = None,
        client: Any = None,
        progress: Any = None,
    ) -> "Vocabulary":
        """Do what ``build`` does, for all texts of files that need not fit into memory.

        Files are read in blocks; memory grows with the number of distinct words alone.

        Args:
            paths: one path or many, in the order of their texts. ``read_examples`` and
                ``read_texts`` say what files may hold, and which faults are named.
            splitter: as in ``build``.
            max_size: as in ``build``; all words are counted first.
            min_count: as in ``build``.
            text: the column of texts; None for plain files of a text on each line.
            format: ``"text"``, ``"csv"``, ``"tsv"``, ``"jsonl"`` or ``"parquet"`` for all files;
                by default the suffixes tell.
            workers: processes that count; None: one for each processor, if the files are large.
            client: a ``distributed.Client``: its workers count, which must see the files under
                the same paths (extra ``dask``).
            progress: as in ``Vectors.load``, with the bytes of files that are done.

        Raises:
            DataFileError: a file is missing, or anything in it is not as it must be.
            InvalidArgumentError: another argument has a value that makes no sense.
            WorkerError: a part of a file could not be counted in another process.
            MissingExtraError: ``client`` is given, and ``distributed`` is not installed.
        """
        from rowwise.text.counting.files import count_words

        require_sizes(max_size, min_count)
        found = count_words(
            paths,
            splitter,
            text=text,
            format=format,
            workers=workers,
            client=client,
            progress=progress,
        )
        return found.to_vocabulary(max_size, min_count)

    @property
    def words(self) -> tuple[str, ...]:
        """All words; a word's place is its id. The first two are the reserved ones."""
        return self._words

    @property
    def counts(self) -> tuple[int, ...] | None:
        """How often each of ``words`` occurred, 0 for the reserved ones; None if not known."""
        return self._counts

    def __len__(self) -> int:
        return len(self._words)

    def __iter__(self) -> Iterator[str]:
        return iter(self._words)

    def __contains__(self, word: object) -> bool:
        """Whether ``word`` is one of the real words."""
        return isinstance(word, str) and self._ids.get(word, 0) > self.unknown_id

    def __getitem__(self, word: str) -> int:
        """Return the id of a word, 1 if it is unknown."""
        if not isinstance(word, str):
            raise InvalidTextError(
                f"A vocabulary is asked for a word: vocabulary['word']. Received: {shorten(word)}. "
                "For the word of an id use vocabulary.word(id)."
            )
        return self._ids.get(word, self.unknown_id)

    def word(self, id: int) -> str:
        """Return the word of an id.

        Raises:
            InvalidIdError: there is no such id.
        """
        if isinstance(id, bool) or not hasattr(id, "__index__") or not 0 <= id < len(self):
            raise InvalidIdError(
                f"An id must be a whole number in [0, {len(self)}). Received: {id!r}"
            )
        return self._words[id]

    def ids(self, words: Iterable[str]) -> NDArray[np.int32]:
        """Return the ids of words, int32 ``(words,)``; 1 for unknown ones.

        Raises:
            InvalidTextError: ``words`` is one string, or a word is not a string.
        """
        return self._ids_of(as_text_list(words, "words"))

    def encode(
        self,
        texts: Iterable[str],
        splitter: Splitter | None = None,
        max_length: int | None = None,
        padding: str = "post",
        truncating: str = "post",
    ) -> EncodedTexts:
        """Turn texts into one padded array of ids.

        Args:
            texts: strings; they may be empty.
            splitter: how to cut them into words; as Keras's ``Tokenizer`` by default.
            max_length: columns of the result; None: as many as the longest text has words.
            padding: "pre" or "post", the side at which zeros are added.
            truncating: "pre" or "post", the side at which a longer text is cut.

        Returns:
            ``ids`` int32 ``(texts, length)`` and ``lengths`` int32 ``(texts,)``.

        Raises:
            InvalidTextError: an item of ``texts`` is not a string; the message names it.
            InvalidArgumentError: another argument has a value that makes no sense.
        """
        found = (splitter or Splitter()).split_all(texts)
        flat = self._ids_of(found.unique)[found.codes]
        return pad_rows(flat, found.offsets, max_length, padding, truncating)

    def to_json(self) -> str:
        """Return the vocabulary as a JSON object with the real words and their counts."""
        counts = None if self._counts is None else self._counts[2:]
        return json.dumps({"words": self._words[2:], "counts": counts}, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "Vocabulary":
        """Read what ``to_json`` wrote.

        Raises:
            InvalidArgumentError: ``text`` is something else.
        """
        try:
            value = json.loads(text)
        except ValueError as error:
            raise InvalidArgumentError(f"A vocabulary's JSON was expected: {error}") from error
        if not isinstance(value, dict) or not isinstance(value.get("words"), list):
            raise InvalidArgumentError(
                'A vocabulary\'s JSON is an object with a list of "words". '
                f"Received: {shorten(text)}"
            )
        return cls(value["words"], value.get("counts"))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Vocabulary):
            return NotImplemented
        return self._words == other._words and self._counts == other._counts

    def __hash__(self) -> int:
        return hash((self._words, self._counts))

    def __repr__(self) -> str:
        first = ", ".join(map(repr, self._words[2:5]))
        more = ", ..." if len(self) > 5 else ""
        return f"<Vocabulary of {len(self)}: '', '[UNK]'{', ' if first else ''}{first}{more}>"

    def __reduce__(self) -> tuple[Any, ...]:
        counts = None if self._counts is None else self._counts[2:]
        return Vocabulary, (self._words[2:], counts)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"A Vocabulary never changes: cannot set {name!r}. Make a new one.")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"A Vocabulary never changes: cannot delete {name!r}.")

    def _ids_of(self, words: list[str]) -> NDArray[np.int32]:
        ids = map(self._ids.get, words, repeat(self.unknown_id))
        return np.fromiter(ids, dtype=np.int32, count=len(words))
