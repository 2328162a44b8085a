"""``Asking``: the questions that ``Vectors`` answer about nearness."""

import os
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from rowwise.errors import InvalidArgumentError
from rowwise.text.checks import as_text_list
from rowwise.vectors.approximate import ApproximateIndex
from rowwise.vectors.arguments import as_path, as_whole_number
from rowwise.vectors.evaluation import AnalogyReport, SimilarityReport, WordTable, evaluate
from rowwise.vectors.formulas import parse_formula
from rowwise.vectors.neighbours import best_rows
from rowwise.vectors.norms import DoubleArray, Norms
from rowwise.vectors.objectives import Cosine, MultipliedCosines, Objective
from rowwise.vectors.queries import Term, as_query, as_terms, check_method
from rowwise.vectors.scan import Positions

if TYPE_CHECKING:
    from rowwise.vectors.vectors import Vectors

Neighbours = list[tuple[str, float]]


class Asking:
    """What ``Vectors`` say about which words are near to which."""

    if TYPE_CHECKING:

        @property
        def words(self) -> Sequence[str]: ...  # noqa: D102
        @property
        def rows(self) -> npt.NDArray[Any]: ...  # noqa: D102

    def most_similar(
        self,
        word: str | Sequence[str] | npt.ArrayLike | None = None,
        topn: int = 10,
        *,
        positive: Term | Sequence[Term] | None = None,
        negative: Term | Sequence[Term] | None = None,
        method: str = "add",
        index: ApproximateIndex | None = None,
    ) -> Any:
        """The ``topn`` words whose rows have the highest cosine with a word's row, best first.

        Exact: every row is compared, block by block, and nothing of the size of the table is made.
        Many queries in one call take far less time than one by one. The words asked for are left
        out, and so are rows that hold NaN or infinity; a row of zeros has cosine 0.

        Args:
            word: a word; a list of words, each a query of its own; a query of shape (d,); or
                queries of shape (queries, d).
            topn: how many words; fewer come back when there are fewer.
            positive: as in gensim, in place of ``word``: words or rows (d,), or pairs of one and a
                weight. They make one query, the sum of their rows of length 1.
            negative: as in gensim: those that are taken away from the sum.
            method: with ``positive`` and ``negative``: ``"add"`` for the cosine with the sum
                (3CosAdd), ``"mul"`` for the product of cosines, each shifted to (1 + cosine) / 2,
                over that of the negative ones plus 1e-6 (3CosMul; Levy and Goldberg 2014).
            index: an ``ApproximateIndex`` of these vectors, to look at a small part of the rows.
                Near words may then be missed. Not with ``"mul"``.

        Returns:
            (word, cosine) pairs; a cosine lies in [-1, 1]. For a list of words or a matrix of
            queries, a list of such lists.

        Raises:
            UnknownWordError: a word has no row.
            InvalidShapeError: a query of another shape.
            InvalidArgumentError: ``topn`` is not a positive whole number, an unknown ``method``,
                a query that holds NaN or is zeros, or both ``word`` and ``positive`` or
                ``negative``.
        """
        count = as_whole_number(topn, "topn", least=1)
        check_method(method)
        if index is not None and not isinstance(index, ApproximateIndex):
            raise InvalidArgumentError(
                f"`index` must be an ApproximateIndex. Received: {type(index).__name__}."
            )
        vectors = cast("Vectors", self)
        if word is None:
            terms = as_terms(vectors, positive, negative)
            if method == "mul":
                if index is not None:
                    raise InvalidArgumentError("An index finds cosines: leave out method='mul'.")
                if terms.weighted:
                    raise InvalidArgumentError("Weights are for sums: leave out method='mul'.")
                terms.check_directions()
                product = MultipliedCosines(terms.positive, terms.negative)
                return self._nearest(product, count, terms.excluded)[0]
            query = terms.as_query()
        elif positive is not None or negative is not None or method == "mul":
            raise InvalidArgumentError(
                "Give either one query, as in most_similar('king'), or `positive` and `negative`, "
                "as in most_similar(positive=['king', 'woman'], negative=['man'])."
            )
        else:
            query = as_query(vectors, word)
            query.check_directions()
        if index is not None:
            near = index.nearest(self.rows, query.directions, count, query.excluded)
            found = [self._named(*one) for one in zip(*near, strict=True)]
        else:
            found = self._nearest(Cosine(query.directions), count, query.excluded)
        return found[0] if query.is_one else found

    def analogy(self, formula: str, topn: int = 10, *, method: str = "add") -> Neighbours:
        """The words nearest to a sum of words: ``vectors.analogy("king - man + woman")``.

        Args:
            formula: words with + and - between them; a word that holds spaces or signs stands in
                quotes. It is only read as words, never run.
            topn: how many words.
            method: ``"add"`` or ``"mul"``, see ``most_similar``.

        Returns:
            (word, score) pairs, best first; the formula's own words are left out.

        Raises:
            InvalidArgumentError: what is no such formula, or words that add up to zeros.
            UnknownWordError: a word has no row.
        """
        positive, negative = parse_formula(formula)
        found: Neighbours = self.most_similar(
            topn=topn, positive=positive, negative=negative, method=method
        )
        return found

    def similarity(self, first: str | npt.ArrayLike, second: str | npt.ArrayLike) -> float:
        """The cosine, from -1 to 1, of two words' rows, or of rows (d,); 0 for a row of zeros.

        Raises:
            UnknownWordError: a word has no row.
            InvalidArgumentError: a row holds NaN or infinity.
        """
        vectors = cast("Vectors", self)
        one, other = (as_query(vectors, asked) for asked in (first, second))
        if not one.is_one or not other.is_one:
            raise InvalidArgumentError(
                "`similarity` compares two words or two rows; for many at once use most_similar."
            )
        return float(np.clip(one.directions[0] @ other.directions[0], -1, 1))

    def doesnt_match(self, words: Sequence[str]) -> str:
        """The word whose direction is farthest from the mean direction of all ``words``.

        Of equal ones it is the first.

        Raises:
            UnknownWordError: a word has no row.
            InvalidTextError: one of them is not a string.
            InvalidArgumentError: fewer than three words.
        """
        given = [words] if isinstance(words, str) else as_text_list(words, "words")
        if len(given) < 3:
            raise InvalidArgumentError(
                "Which word does not match can be said of three words or more. "
                f"Received: {words!r}."
            )
        directions = as_query(cast("Vectors", self), given).directions
        return given[int(np.argmin(directions @ directions.sum(axis=0)))]

    def evaluate(
        self,
        path: str | os.PathLike[str],
        *,
        limit: int | None = None,
        ignore_case: bool | None = None,
        method: str = "add",
    ) -> SimilarityReport | AnalogyReport:
        """Measure these vectors on a file of pairs of words or of analogies.

        The content tells which it is: lines ``word word score`` (WordSim353, SimLex-999, MEN) give
        Spearman's rank correlation of cosines and scores; lines ``a b c d`` in sections
        (``questions-words.txt``) give the share of questions for which the row nearest to
        b - a + c, the words of the question left out, is that of d. Only what these vectors cover
        counts, and the report says how much that is.

        Args:
            path: the file.
            limit: look at the first so many words only, as gensim's ``restrict_vocab`` does.
            ignore_case: take a word in any case for any other; of several the first counts. None:
                for analogies only, as their files write names in capitals.
            method: for analogies, ``"add"`` (3CosAdd) or ``"mul"`` (3CosMul).

        Raises:
            DataFileError: there is no such file, or it holds neither; the message names the line.
            InvalidArgumentError: ``limit`` is not a positive whole number, an unknown ``method``.
        """
        check_method(method)
        if limit is not None:
            limit = as_whole_number(limit, "limit", least=1)
        table = WordTable(self.words, self.rows, self._norms, limit)
        return evaluate(table, as_path(path), ignore_case, method)

    @cached_property
    def _norms(self) -> Norms:
        """The lengths of the rows, measured when they are first asked for."""
        return Norms(self.rows)

    def _nearest(
        self, objective: Objective, count: int, excluded: tuple[Positions, Positions]
    ) -> list[Neighbours]:
        positions, scores = best_rows(self.rows, self._norms, objective, count, excluded)
        return [self._named(*found) for found in zip(positions, scores, strict=True)]

    def _named(self, positions: Positions, scores: DoubleArray) -> Neighbours:
        real = int(np.count_nonzero(positions >= 0))  # empty places are at the end
        pairs = zip(positions[:real].tolist(), scores[:real].tolist(), strict=True)
        return [(self.words[position], score) for position, score in pairs]
