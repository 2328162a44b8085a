"""``Supplying``: the rows that ``Vectors`` give to models."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from rowwise.text import Splitter, Tokenizer, Vocabulary
from rowwise.text.checks import as_text_list
from rowwise.vectors.arguments import as_vocabulary, as_whole_number
from rowwise.vectors.coverage import Coverage, cover
from rowwise.vectors.norms import FloatArray
from rowwise.vectors.oov import LAST, Spread, make_rows, match, rows_of

if TYPE_CHECKING:
    from rowwise.vectors.vectors import Vectors

# Rules for a table that is trained: found words keep their rows, others begin at random.
TABLE_RULES = ("lower", "random")


class Supplying:
    """What ``Vectors`` give to models: rows for words and tables for vocabularies."""

    if TYPE_CHECKING:

        @property
        def rows(self) -> npt.NDArray[Any]: ...  # noqa: D102

    def get(
        self, words: str | Iterable[str], oov: str | Sequence[str] = (), *, seed: int = 0
    ) -> FloatArray:
        """The rows of words, with rules for those that have none.

        The rules of ``oov`` are tried in their order, for each word alone:

        - ``"lower"``: the word in lower case.
        - ``"digits"``: every digit replaced by #, as in word2vec's news vectors, or else by 0; in
          lower case, too, when ``"lower"`` stands before it.
        - ``"subword"``: the row that fastText makes of the word's pieces; finds nothing where the
          vectors came without them.
        - ``"mean"``: the mean of all rows.
        - ``"random"``: normal numbers with each column's mean and standard deviation, the same for
          a word and a seed whatever else is asked for.
        - ``"zero"``: zeros.
        - ``"error"``, which is also the end of a list without one of these four: an error.

        A row that holds NaN or infinity counts as missing.

        Args:
            words: a word, or n words.
            oov: the names of rules, or one name.
            seed: of the random rows. No global random state is read or changed.

        Returns:
            float32 (d,) for one word, (n, d) for n words.

        Raises:
            UnknownWordError: a word without a row for which no rule made one.
            InvalidArgumentError: an unknown rule, or one that is never tried.
        """
        given = [words] if isinstance(words, str) else as_text_list(words, "words")
        vectors = cast("Vectors", self)
        rows = rows_of(vectors, match(vectors, given, oov), as_whole_number(seed, "seed"))
        return rows[0] if isinstance(words, str) else rows

    def matrix(
        self,
        vocabulary: Vocabulary | Tokenizer,
        oov: str | Sequence[str] = TABLE_RULES,
        *,
        seed: int = 0,
    ) -> FloatArray:
        """A table for a vocabulary, float32 (len(vocabulary), d); row i is for the word of id i.

        Padding is zeros. Unknown is the row of ``"[UNK]"`` where the vectors hold one; otherwise
        what the last rule makes, or the mean row where that is an error.

        Args:
            vocabulary: whose ids number the rows; or a fitted tokenizer with an ``oov_token``.
            oov: rules for words without a row, see ``get``.
            seed: of the random rows.

        Raises:
            UnknownWordError: a word without a row for which no rule made one.
            InvalidArgumentError: an unknown rule, or something else than a vocabulary.
        """
        vectors, seed = cast("Vectors", self), as_whole_number(seed, "seed")
        found = match(vectors, as_vocabulary(vocabulary).words[2:], oov)
        rows = rows_of(vectors, found, seed)
        last = found.rules[-1]
        unknown = match(vectors, [Vocabulary.unknown], "mean")
        if unknown.positions[0] >= 0:
            other = rows_of(vectors, unknown, seed)
        else:
            rule = last if last in LAST and last != "error" else "mean"
            other = make_rows(vectors, [Vocabulary.unknown], rule, seed)
        return np.concatenate([np.zeros_like(other), other, rows])

    def coverage(
        self,
        vocabulary: Vocabulary | Tokenizer,
        oov: str | Sequence[str] = TABLE_RULES,
        *,
        counts: Mapping[str, int] | None = None,
        texts: Iterable[str] | None = None,
        splitter: Splitter | None = None,
    ) -> Coverage:
        """How much of a vocabulary these vectors hold, and which rule found what.

        Args:
            vocabulary: the words to look for; or a fitted tokenizer with an ``oov_token``.
            oov: rules, see ``get``; nothing is raised for a word without a row.
            counts: how often words occur; by default what the vocabulary knows.
            texts: where to count them instead.
            splitter: how to cut the texts into words; as Keras's ``Tokenizer`` by default.

        Raises:
            InvalidArgumentError: an unknown rule, both counts and texts, or something else than a
                vocabulary.
        """
        wanted = as_vocabulary(vocabulary)
        matched = match(cast("Vectors", self), wanted.words[2:], oov)
        return cover(wanted, matched, counts, texts, splitter)

    @cached_property
    def spread(self) -> Spread:
        """Mean and standard deviation of each column, measured when first asked for."""
        return Spread(self.rows)
