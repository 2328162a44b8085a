"""Keras's ``Tokenizer``, with the same results and bulk work in arrays."""

import json
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rowwise.errors import InvalidArgumentError
from rowwise.text.checks import Paths, as_text_list
from rowwise.text.cutting import Cutter, KeptCut, Text
from rowwise.text.encoded import EncodedTexts, pad_rows
from rowwise.text.matrix import ids_to_matrix
from rowwise.text.splitting import DEFAULT_FILTERS, Splitter, join_filters
from rowwise.text.tables import LEFT_OUT, WordTables

# What is counted and numbered, in the order of Keras's JSON.
TABLES = ("word_counts", "word_docs", "index_docs", "index_word", "word_index")


class Tokenizer(WordTables):
    """Turns texts into ids, by how frequent their words are.

    The class of this name in Keras 2, with the same results: id 0 belongs to no word, the most
    frequent word has id 1 (or 2 after ``oov_token``), of equally frequent words the first seen
    comes first. A text is a string or a list of words.

    Args:
        num_words: only ids below this number are given out; None: all.
        filters: characters that separate words, beside ``split``.
        lower: whether to make texts lower-case first.
        split: what separates words.
        char_level: every character is a word.
        oov_token: the word that stands for unknown words, with id 1; None: they are left out.
        document_count: the number of texts seen so far.
        analyzer: cuts a text into words instead of ``filters``, ``lower`` and ``split``.
        **kwargs: ``nb_words``, an old name of ``num_words``.

    Attributes:
        word_counts: ``OrderedDict``, how often each word occurred, in the order first seen.
        word_docs: in how many texts each word occurred.
        word_index: the id of each word.
        index_word: the word of each id.
        index_docs: in how many texts the word of each id occurred.
        document_count: the number of texts seen.

    Raises:
        TypeError: an argument is not known.
    """

    def __init__(
        self,
        num_words: int | None = None,
        filters: Iterable[str] = DEFAULT_FILTERS,
        lower: bool = True,
        split: str | None = " ",
        char_level: bool = False,
        oov_token: str | None = None,
        document_count: int = 0,
        analyzer: Callable[[str], Iterable[str]] | None = None,
        **kwargs: Any,
    ) -> None:
        if "nb_words" in kwargs:
            warnings.warn("`nb_words` is an old name: use `num_words`.", stacklevel=2)
            num_words = kwargs.pop("nb_words")
        if kwargs:
            raise TypeError(f"Tokenizer has no argument {', '.join(map(repr, kwargs))}.")
        super().__init__(num_words, oov_token, document_count)
        self.filters = filters
        self.lower = lower
        self.split = split
        self.char_level = char_level
        self.analyzer = analyzer
        self._cut = KeptCut()

    def fit_on_texts(self, texts: Iterable[Text]) -> None:
        """Learn words from texts, beside those known; an error leaves all as it was.

        Args:
            texts: strings or lists of words, in a list or a generator.

        Raises:
            InvalidTextError: an item is neither; the message names its position.
        """
        found = [
            (words.unique, words.counts().tolist(), words.text_counts().tolist(), len(words))
            for words in self._cut.cut_and_keep(self._cutter(), texts)
        ]
        for unique, counts, text_counts, texts_seen in found:
            self._add(unique, counts, text_counts, texts_seen)
        self._number()

    def fit_files(
        self,
        paths: Paths,
        *,
        text: str | None = None,
        format: str | None = None,
        workers: int | None = None,
        client: Any = None,
        progress: Any = None,
    ) -> None:
        """Do what ``fit_on_texts`` does, for all texts of files that need not fit into memory.

        Args:
            paths: one path or many. They and the other arguments are those of
                ``Vocabulary.count``. Other processes count only if they can import ``analyzer``;
                otherwise this one does, if ``workers`` is None.
            text: the column of texts.
            format: of all files.
            workers: processes that count.
            client: a ``distributed.Client``.
            progress: True, or a function.

        Raises:
            DataFileError, InvalidArgumentError, WorkerError, MissingExtraError: as
                ``Vocabulary.count``; all is left as it was.
        """
        from rowwise.text.counting.files import count_cut

        found = count_cut(
            self._cutter(),
            paths,
            text=text,
            format=format,
            workers=workers,
            client=client,
            progress=progress,
        )
        self._add(found.words, found.counts.tolist(), found.text_counts.tolist(), found.texts)
        self._number()

    def texts_to_sequences(self, texts: Iterable[Text]) -> list[list[int]]:
        """Turn texts into lists of ids.

        Unknown words, and words with an id from ``num_words`` on, become ``oov_token``; they are
        left out if there is none.

        Raises:
            InvalidTextError: an item is neither a string nor a list; the message names it.
            InvalidArgumentError: ``oov_token`` is set, but nothing was fitted.
        """
        sequences: list[list[int]] = []
        for words in self._cut.cut(self._cutter(), texts):
            ids = self._ids_of(words.unique)
            sequences += words.without(ids == LEFT_OUT).to_lists(ids.tolist())
        return sequences

    def texts_to_sequences_generator(self, texts: Iterable[Text]) -> Iterator[list[int]]:
        """Turn texts into lists of ids one by one, as they are asked for."""
        cutter = self._cutter()
        for position, text in enumerate(texts):
            ids = self._ids_of(cutter.words_of(text, position))
            yield ids[ids != LEFT_OUT].tolist()

    def sequences_to_texts(self, sequences: Iterable[Iterable[int]]) -> list[str]:
        """Turn lists of ids into texts, their words separated by a space.

        Ids without a word, or from ``num_words`` on, become ``oov_token``; they are left out if
        there is none.
        """
        return list(self.sequences_to_texts_generator(sequences))

    def sequences_to_texts_generator(self, sequences: Iterable[Iterable[int]]) -> Iterator[str]:
        """Turn lists of ids into texts one by one, as they are asked for."""
        unknown_id = self._unknown_id()
        unknown = None if unknown_id is None else self.index_word[unknown_id]
        for ids in sequences:
            words = []
            for id in ids:
                word = self.index_word.get(id)
                if word is None or (self.num_words and id >= self.num_words):
                    word = unknown
                if word is not None:
                    words.append(word)
            yield " ".join(words)

    def texts_to_matrix(self, texts: Iterable[Text], mode: str = "binary") -> NDArray[np.float64]:
        """Turn texts into one row of numbers each; see ``sequences_to_matrix``."""
        return self.sequences_to_matrix(self.texts_to_sequences(texts), mode)

    def sequences_to_matrix(
        self, sequences: Iterable[Sequence[int]], mode: str = "binary"
    ) -> NDArray[np.float64]:
        """Turn lists of ids into one row of numbers each, with a column per id.

        Args:
            sequences: lists of ids.
            mode: "binary": 1 where the id occurs; "count": how often; "freq": how often by the
                length of the list; "tfidf": (1 + ln count) ln(1 + texts / (1 + texts with it)).

        Returns:
            float64 ``(sequences, num_words)``, or as many columns as there are ids.

        Raises:
            InvalidArgumentError: there is no such mode, or nothing was fitted that it needs.
            InvalidIdError: an id is negative or not a whole number.
        """
        if not self.num_words and not self.word_index:
            raise InvalidArgumentError(
                "The number of columns is not known: give `num_words`, or fit on texts first."
            )
        if mode == "tfidf" and not self.document_count:
            raise InvalidArgumentError('The mode "tfidf" needs counts: fit on texts first.')
        columns = self.num_words or len(self.word_index) + 1
        return ids_to_matrix(list(sequences), columns, mode, self.document_count, self.index_docs)

    def encode(
        self,
        texts: Iterable[Text],
        max_length: int | None = None,
        padding: str = "post",
        truncating: str = "post",
    ) -> EncodedTexts:
        """Turn texts into one padded array of ids; the ids are those of ``texts_to_sequences``.

        Args:
            texts: strings or lists of words.
            max_length: columns of the result; None: as many as the longest text has ids.
            padding: "pre" or "post", the side at which zeros are added.
            truncating: "pre" or "post", the side at which a longer text is cut.

        Returns:
            ``ids`` int32 ``(texts, length)`` and ``lengths`` int32 ``(texts,)``.

        Raises:
            InvalidTextError: ``texts`` is one string, or an item is neither a string nor a list.
            InvalidArgumentError: another argument has a value that makes no sense.
        """
        if isinstance(texts, str):
            as_text_list(texts)
        flat = [np.zeros(0, dtype=np.int32)]
        lengths = [np.zeros(1, dtype=np.int64)]
        for words in self._cut.cut(self._cutter(), texts):
            ids = self._ids_of(words.unique)
            kept = words.without(ids == LEFT_OUT)
            flat.append(ids[kept.codes])
            lengths.append(kept.lengths)
        offsets = np.cumsum(np.concatenate(lengths))
        return pad_rows(np.concatenate(flat), offsets, max_length, padding, truncating)

    def get_config(self) -> dict[str, Any]:
        """Return arguments and counts as a dictionary; the counts are JSON strings in it."""
        return {
            "num_words": self.num_words,
            "filters": self.filters,
            "lower": self.lower,
            "split": self.split,
            "char_level": self.char_level,
            "oov_token": self.oov_token,
            "document_count": self.document_count,
            **{name: json.dumps(getattr(self, name)) for name in TABLES},
        }

    def to_json(self, **kwargs: Any) -> str:
        """Return the tokenizer as JSON in Keras's layout; arguments are those of ``json.dumps``.

        An ``analyzer`` is a function and is not written; a warning says so.
        """
        if self.analyzer is not None:
            warnings.warn(
                "The tokenizer's `analyzer` is a function, which JSON cannot hold. Give it to "
                "tokenizer_from_json(json_string, analyzer=...) when you read it.",
                stacklevel=2,
            )
        return json.dumps({"class_name": "Tokenizer", "config": self.get_config()}, **kwargs)

    def _cutter(self) -> Cutter:
        splitter = Splitter(
            lower=self.lower,
            filters=join_filters(self.filters),
            separator=self.split,
            char_level=self.char_level,
        )
        return Cutter(splitter, self.analyzer)
