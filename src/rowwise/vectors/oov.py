"""Rows for words that a table does not hold: rules, tried in order."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from rowwise.errors import InvalidArgumentError, UnknownWordError
from rowwise.vectors.norms import DoubleArray, FloatArray, RowArray, blocks

if TYPE_CHECKING:
    from rowwise.vectors.vectors import Vectors

# A row that came from the table, or was put together from its pieces.
FINDING = ("word", "lower", "digits", "subword")
# A row for any word at all, or none.
LAST = ("mean", "random", "zero", "error")


class Spread:
    """The mean and the standard deviation of each column, float64 (d,); without bad rows.

    Measured in blocks that are added up as Chan, Golub and LeVeque (1979) do, so that nothing is
    lost where the mean is large. Zeros for a table without rows.
    """

    def __init__(self, rows: RowArray) -> None:
        columns, count = rows.shape[1], 0
        self.mean: DoubleArray = np.zeros(columns)
        squares = np.zeros(columns)
        for part in blocks(*rows.shape):
            block = rows[part].astype(np.float64)
            finite = np.isfinite(block).all(axis=1)
            block = block if finite.all() else block[finite]
            if not len(block):
                continue
            mean = block.mean(axis=0)
            block -= mean
            total = count + len(block)
            squares += np.einsum("ij,ij->j", block, block)
            squares += (mean - self.mean) ** 2 * (count * len(block) / total)
            self.mean += (mean - self.mean) * (len(block) / total)
            count = total
        self.deviation: DoubleArray = np.sqrt(squares / max(count, 1))


@dataclass(frozen=True, eq=False)
class Match:
    """Where each of n words gets its row from.

    Attributes:
        words: the n words.
        rules: ``"word"`` and the names of the rules, in order; the last finds a row for any word,
            or is ``"error"``.
        rule: int8 (n,), the place among ``rules`` of the one that found the row.
        positions: intp (n,), the position of the row in the table; -1 where it is not from there.
        made: the rows that were put together from pieces, by the word's number.
    """

    words: Sequence[str]
    rules: tuple[str, ...]
    rule: npt.NDArray[np.int8]
    positions: npt.NDArray[np.intp]
    made: dict[int, FloatArray]


def as_rules(oov: str | Iterable[str]) -> tuple[str, ...]:
    """``"word"``, the rules of ``oov`` in order and, if none of them always finds, ``"error"``.

    Raises:
        InvalidArgumentError: an unknown rule, one that is there twice, or one that is never tried.
    """
    known = (*FINDING[1:], *LAST)
    if not isinstance(oov, Iterable):
        raise InvalidArgumentError(
            f"`oov` must be a rule or several of {', '.join(map(repr, known))}. Received: {oov!r}."
        )
    rules = (oov,) if isinstance(oov, str) else tuple(oov)
    for rule in rules:
        if rule not in known:
            raise InvalidArgumentError(
                f"A rule of `oov` must be one of {', '.join(map(repr, known))}. Received: {rule!r}."
            )
    if len(set(rules)) < len(rules):
        raise InvalidArgumentError(f"Each rule of `oov` may occur once. Received: {list(rules)}.")
    for rule in rules[:-1]:
        if rule in LAST:
            raise InvalidArgumentError(
                f"{rule!r} must be the last rule of `oov`: those after it are never tried. "
                f"Received: {list(rules)}."
            )
    always = bool(rules) and rules[-1] in LAST
    return ("word", *rules) if always else ("word", *rules, "error")


def match(vectors: "Vectors", words: Sequence[str], oov: str | Iterable[str]) -> Match:
    """Find a row for each word: its own, or by the first rule that finds one.

    A row that holds NaN or infinity counts as missing.
    """
    rules = as_rules(oov)
    positions = np.fromiter(
        (vectors.index(word) if word in vectors else -1 for word in words),
        dtype=np.intp,
        count=len(words),
    )
    there = np.flatnonzero(positions >= 0)
    for part in blocks(len(there), vectors.dimension):
        finite = np.isfinite(vectors.rows[positions[there[part]]]).all(axis=1)
        positions[there[part][~finite]] = -1
    rule = np.zeros(len(words), dtype=np.int8)
    made: dict[int, FloatArray] = {}
    for number in np.flatnonzero(positions < 0).tolist():
        rule[number], found = _by_rules(vectors, words[number], rules)
        if isinstance(found, int):
            positions[number] = found
        else:
            made[number] = found
    return Match(words, rules, rule, positions, {n: row for n, row in made.items() if len(row)})


def rows_of(vectors: "Vectors", found: Match, seed: int) -> FloatArray:
    """The rows (n, d) float32 of a match.

    Raises:
        UnknownWordError: a word has no row, and the last rule is ``"error"``.
    """
    rows = np.empty((len(found.words), vectors.dimension), dtype=np.float32)
    there = found.positions >= 0
    rows[there] = vectors.rows[found.positions[there]]
    for number, row in found.made.items():
        rows[number] = row
    rest = np.flatnonzero(found.rule == len(found.rules) - 1)
    if len(rest) and found.rules[-1] in LAST:
        missing = [found.words[number] for number in rest.tolist()]
        rows[rest] = make_rows(vectors, missing, found.rules[-1], seed)
    return rows


def make_rows(vectors: "Vectors", words: Sequence[str], rule: str, seed: int) -> FloatArray:
    """Rows (n, d) for words that have none, by one of ``LAST``.

    A random row depends on the word and the seed alone: not on the other words, nor on any global
    state.

    Raises:
        UnknownWordError: the rule is ``"error"``.
    """
    if rule == "error":
        _raise_for_missing(vectors, words)
    rows = np.zeros((len(words), vectors.dimension), dtype=np.float32)
    if rule == "zero":
        return rows
    spread = vectors.spread
    rows[:] = spread.mean
    if rule == "random":
        salt = (seed % 2**64).to_bytes(8, "little")
        for row, word in zip(rows, words, strict=True):
            spelt = word.encode("utf-8", "surrogatepass")
            key = hashlib.blake2b(spelt, digest_size=16, salt=salt).digest()
            generator = np.random.Generator(np.random.Philox(key=int.from_bytes(key, "little")))
            row += generator.standard_normal(len(row)) * spread.deviation
    return rows


def _by_rules(
    vectors: "Vectors", word: str, rules: tuple[str, ...]
) -> tuple[int, int | npt.NDArray[Any]]:
    """The place of the rule that finds ``word``, and its position or row; empty for the last."""
    spellings = [word]
    for place, rule in enumerate(rules):
        if rule == "subword":
            row = None if vectors.subwords is None else vectors.subwords.vector(word)
            if row is not None and np.isfinite(row).all():
                return place, row
            continue
        if rule == "lower":
            spellings += [word.lower()]
        elif rule == "digits":
            spellings += [_folded(word, mark) for word in spellings for mark in "#0"]
        else:
            continue
        for spelling in spellings:
            if spelling in vectors:
                position = vectors.index(spelling)
                if np.isfinite(vectors.rows[position]).all():
                    return place, position
    return len(rules) - 1, np.empty(0, dtype=np.float32)


def _folded(word: str, mark: str) -> str:
    """``word`` with every digit replaced: by # as in word2vec's news vectors, or by 0."""
    return "".join(mark if character.isdigit() else character for character in word)


def _raise_for_missing(vectors: "Vectors", words: Sequence[str]) -> None:
    if words[0] in vectors:
        raise UnknownWordError(
            f"The row of {words[0]!r} holds NaN or infinity. Give `oov` a rule that makes another."
        )
    shown = ", ".join(map(repr, words[:3]))
    more = f" and {len(words) - 3:,} more" if len(words) > 3 else ""
    raise UnknownWordError(
        f"No row was found for {shown}{more}. Give `oov` a last rule for such words: 'mean', "
        "'random' or 'zero'."
    )
