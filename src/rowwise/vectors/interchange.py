"""``Interchange``: vectors out of layers and other libraries' values, and into them.

What is given is looked at, not its class, so reading needs no library to be imported; making a
library's value imports it, and a missing one is named with the extra that brings it.
"""

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np
import numpy.typing as npt

from rowwise.errors import InvalidArgumentError, InvalidShapeError, MissingExtraError
from rowwise.text import Vocabulary
from rowwise.text.wording import counted
from rowwise.vectors.formats.model2vec_tokenizer import real_words, tokenizer_of, with_unknown
from rowwise.vectors.subwords import BucketSubwords, Subwords

EXTRA = "interchange"


class Interchange:
    """How ``Vectors`` come from other values, and become them."""

    if TYPE_CHECKING:

        @property
        def words(self) -> Sequence[str]: ...  # noqa: D102
        @property
        def rows(self) -> npt.NDArray[Any]: ...  # noqa: D102

    @classmethod
    def from_layer(cls, layer: Any, vocabulary: Vocabulary | None = None) -> Self:
        """The rows that an embedding layer has now, without those of padding and unknown.

        ``Embedding.from_vectors`` is the way back.

        Args:
            layer: an embedding layer of rowwise or Keras, on any backend. With LoRA the rows are
                those that the layer looks up.
            vocabulary: whose ids number the layer's rows; by default the layer's own.

        Raises:
            InvalidArgumentError: no vocabulary, no table, or one that is quantised.
            InvalidShapeError: another number of rows than of words.
        """
        words = getattr(layer, "vocabulary", None) if vocabulary is None else vocabulary
        if not isinstance(words, Vocabulary):
            raise InvalidArgumentError(
                "The layer has no vocabulary, so its rows have no words. Give one: "
                "Vectors.from_layer(layer, vocabulary)."
            )
        tables = layer.get_weights() if hasattr(layer, "get_weights") else []
        if not tables or np.ndim(tables[0]) != 2:
            raise InvalidArgumentError(
                f"Expected an embedding layer with a table. Received: {type(layer).__name__}."
            )
        table = np.asarray(tables[0])
        if table.dtype.kind in "iu":
            raise InvalidArgumentError(
                f"The layer's table is quantised ({table.dtype}). Take the vectors before "
                "layer.quantize."
            )
        if getattr(layer, "lora_enabled", False):
            one, other = (np.asarray(part) for part in tables[1:3])
            table = table + (layer.lora_alpha / layer.lora_rank) * (one @ other)
        if len(table) != len(words):
            raise InvalidShapeError(
                f"The layer has {counted(len(table), 'row')}, and the vocabulary "
                f"{counted(len(words), 'word')}, padding and unknown among them."
            )
        return cls._made(words.words[2:], table[2:].astype(np.float32))

    @classmethod
    def from_gensim(cls, keyed_vectors: Any) -> Self:
        """The words and rows of gensim's ``KeyedVectors``; the rows are not copied.

        Subwords come along, those of ``FastText``.

        Args:
            keyed_vectors: for a model such as ``Word2Vec`` its ``.wv``. Keys must be strings.
        """
        keyed_vectors = getattr(keyed_vectors, "wv", keyed_vectors)
        _require(keyed_vectors, "gensim KeyedVectors", "index_to_key", "vectors")
        rows = np.asarray(keyed_vectors.vectors)
        return cls._made(keyed_vectors.index_to_key, rows, _subwords_of(keyed_vectors))

    def to_gensim(self) -> Any:
        """These words and rows as gensim's ``KeyedVectors``, with a copy of the rows.

        Raises:
            MissingExtraError: gensim is not installed.
        """
        gensim = _library("gensim.models", "Making KeyedVectors", "gensim")
        keyed = gensim.KeyedVectors(self.rows.shape[1], count=0)
        keyed.add_vectors(list(self.words), np.asarray(self.rows, dtype=np.float32))
        return keyed

    @classmethod
    def from_model2vec(cls, model: Any) -> Self:
        """The tokens of a model2vec ``StaticModel`` and the rows that it takes the mean of.

        Where the model shares rows among tokens or weights them, each token gets its own row. An
        unknown token that ``to_model2vec`` added stays behind.
        """
        _require(model, "a model2vec StaticModel", "tokens", "embedding")
        rows = np.asarray(model.embedding)
        if getattr(model, "token_mapping", None) is not None:
            rows = rows[np.asarray(model.token_mapping)]
        if getattr(model, "weights", None) is not None:
            rows = rows * np.asarray(model.weights)[:, np.newaxis]
        count = real_words(model.tokens, getattr(model, "config", None))
        return cls._made(model.tokens[:count], rows[:count].astype(np.float32, copy=False))

    def to_model2vec(self) -> Any:
        """A model2vec ``StaticModel`` whose row for a text is the mean of its words' rows.

        Texts are cut at white space and between letters and marks, and words are taken in the case
        in which they stand; one that holds white space or marks is found as a whole. model2vec
        needs an unknown token, and leaves it out of the mean: ``[UNK]`` with zeros is added at the
        end if it is not among the words.

        Raises:
            MissingExtraError: model2vec is not installed.
        """
        model2vec = _library("model2vec", "Making a StaticModel", "model2vec")
        tokenizers = _library("tokenizers", "Making a StaticModel", "model2vec")
        words, rows, said = with_unknown(self.words, np.asarray(self.rows, dtype=np.float32))
        tokenizer = tokenizers.Tokenizer.from_str(tokenizer_of(words))
        return model2vec.StaticModel(rows, tokenizer, config=said)

    @classmethod
    def from_pandas(cls, frame: Any, word: Any | None = None) -> Self:
        """The rows of a pandas ``DataFrame`` of numbers.

        Args:
            frame: one line for each word, one column for each number.
            word: the column with the words; by default they are the index.

        Raises:
            InvalidArgumentError: no column of that name, or one that does not hold numbers.
        """
        _require(frame, "a pandas DataFrame", "columns", "index", "drop")
        if word is not None:
            _require_column(frame, word)
            frame = frame.set_index(word)
        return cls._made(frame.index.tolist(), _numbers(frame.to_numpy()))

    def to_pandas(self) -> Any:
        """A pandas ``DataFrame``: float32 (n, d), the words as its index, named ``word``.

        Raises:
            MissingExtraError: pandas is not installed.
        """
        pandas = _library("pandas", "Making a DataFrame", "pandas")
        index = pandas.Index(list(self.words), name="word", dtype=object)
        return pandas.DataFrame(np.asarray(self.rows), index=index)

    @classmethod
    def from_polars(cls, frame: Any, word: str = "word") -> Self:
        """The rows of a polars ``DataFrame``.

        Args:
            frame: one column of words, and either one of lists or arrays of numbers or d columns
                of numbers.
            word: the column with the words.

        Raises:
            InvalidArgumentError: no column of that name, or columns that do not hold numbers.
            InvalidShapeError: lists of different lengths.
        """
        _require(frame, "a polars DataFrame", "columns", "drop", "get_column")
        _require_column(frame, word)
        others = frame.drop(word)
        if len(others.columns) == 1 and hasattr(others.dtypes[0], "inner"):
            lists = others.get_column(others.columns[0]).to_list()
            if len({len(numbers) if numbers is not None else -1 for numbers in lists}) > 1:
                raise InvalidShapeError("The lists of numbers must all have the same length.")
            empty = np.empty((0, getattr(others.dtypes[0], "size", 0)))
            rows = np.array(lists) if lists else empty
        else:
            rows = others.to_numpy()
        return cls._made(frame.get_column(word).to_list(), _numbers(rows))

    def to_polars(self) -> Any:
        """A polars ``DataFrame``: ``word``, and ``vector``, an array of d float32.

        Raises:
            MissingExtraError: polars is not installed.
        """
        polars = _library("polars", "Making a polars DataFrame", "polars")
        rows = np.ascontiguousarray(self.rows, dtype=np.float32)
        kind = polars.Array(polars.Float32, rows.shape[1])
        return polars.DataFrame(
            {
                "word": polars.Series(list(self.words), dtype=polars.String),
                "vector": polars.Series(rows, dtype=kind),
            }
        )

    @classmethod
    def _made(
        cls, words: Sequence[Any], rows: npt.NDArray[Any], subwords: Subwords | None = None
    ) -> Self:
        return cast("type[Any]", cls)(words, rows, subwords=subwords)  # type: ignore[no-any-return]


def _require(value: Any, what: str, *attributes: str) -> None:
    if not all(hasattr(value, attribute) for attribute in attributes):
        raise InvalidArgumentError(f"Expected {what}. Received: {type(value).__name__}.")


def _require_column(frame: Any, word: Any) -> None:
    names = list(frame.columns)
    if word not in names:
        raise InvalidArgumentError(
            f"There is no column {word!r} of words; the columns are "
            f"{', '.join(map(repr, names))}. Name one of these with `word`."
        )


def _subwords_of(keyed_vectors: Any) -> BucketSubwords | None:
    """The n-grams of gensim's ``FastTextKeyedVectors``."""
    table = getattr(keyed_vectors, "vectors_ngrams", None)
    if table is None or not len(table) or not keyed_vectors.max_n:
        return None
    return BucketSubwords(
        np.asarray(table),
        minn=keyed_vectors.min_n,
        maxn=keyed_vectors.max_n,
        buckets=keyed_vectors.bucket,
    )


def _library(module: str, what: str, package: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        raise MissingExtraError(what, package, EXTRA) from error


def _numbers(rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if rows.dtype.kind not in "fiu" and rows.size:
        raise InvalidArgumentError(
            f"Every column beside the words must hold numbers. Received columns of {rows.dtype}."
        )
    return rows.astype(np.float32)
