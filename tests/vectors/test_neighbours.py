"""Nearest rows: the same as a plain float64 search finds, whatever the blocks and dtypes."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from rowwise.vectors import Vectors, neighbours, scan
from rowwise.vectors.neighbours import best_rows
from rowwise.vectors.norms import Norms, unit
from rowwise.vectors.objectives import Cosine, MultipliedCosines

DTYPES = ["float16", "float32", "float64"]
ODD = [np.nan, np.inf, -np.inf]
# Threads that help; what they are given to do is the same with one of them.
POOL = ThreadPoolExecutor(1)
HELPERS = [None, (POOL, 1), (POOL, 4)]


def cosines(rows: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """(queries, rows) in float64; 0 for rows of zeros, NaN for rows that hold NaN or infinity."""
    with np.errstate(invalid="ignore"):
        exact, wanted = rows.astype("float64"), queries.astype("float64")
        lengths = np.outer(np.linalg.norm(wanted, axis=1), np.linalg.norm(exact, axis=1))
        found = np.divide(wanted @ exact.T, lengths, out=np.zeros(lengths.shape), where=lengths > 0)
    found[:, ~np.isfinite(exact).all(axis=1)] = np.nan
    return found


def check(
    positions: np.ndarray,
    scores: np.ndarray,
    expected: np.ndarray,
    count: int,
    rows: np.ndarray,
    error: float = 1e-12,
) -> None:
    """Compare with ``expected`` (rows,), where NaN marks what is not to be found."""
    possible = np.flatnonzero(~np.isnan(expected))
    found = positions[positions >= 0]
    assert len(found) == min(count, len(possible))
    assert (positions[len(found) :] == -1).all()
    assert set(found) <= set(possible)
    assert len(set(found)) == len(found)
    best = np.sort(expected[possible])[::-1][: len(found)]
    assert scores[: len(found)] == pytest.approx(best, abs=error)
    assert expected[found] == pytest.approx(best, abs=error)
    for place, (one, other) in enumerate(itertools.pairwise(found)):
        if np.array_equal(rows[one], rows[other]):
            assert one < other, "equal rows come in the order of the table"
        assert scores[place] >= scores[place + 1]


tables = hnp.arrays(
    st.sampled_from(DTYPES),
    st.tuples(st.integers(1, 60), st.integers(1, 5)),
    elements=st.integers(-3, 3).map(float) | st.sampled_from(ODD),
)


def norms_of(rows: np.ndarray, kept: bool) -> Norms:
    """Of the rows, with or without a copy of them of length 1."""
    norms = Norms(rows)
    if kept:
        norms.keep_unit_rows(rows)
    return norms


@given(tables, st.data())
def test_the_best_rows_are_those_of_a_plain_search(rows: np.ndarray, data: st.DataObject) -> None:
    columns = rows.shape[1]
    queries = data.draw(
        hnp.arrays(
            "float64",
            st.tuples(st.integers(1, 4), st.just(columns)),
            elements=st.integers(-2, 2).map(float),
        )
    )
    count = data.draw(st.integers(1, 70))
    pairs = data.draw(
        st.lists(st.tuples(st.integers(0, len(queries) - 1), st.integers(0, len(rows) - 1)))
    )
    excluded = tuple(np.array(pairs, dtype=np.intp).reshape(-1, 2).T)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scan, "GROUP", data.draw(st.sampled_from([1, 2, 4])))
        patch.setattr(neighbours, "BLOCK_ROWS", data.draw(st.sampled_from([4, 8, 16, 64])))
        patch.setattr(scan, "EXACT_NUMBERS", data.draw(st.sampled_from([1, 16, 1000])))
        norms = norms_of(rows, data.draw(st.booleans()))
        patch.setattr(scan, "PATIENCE", data.draw(st.sampled_from([0, 1, 4])))
        patch.setattr(neighbours, "PART_PRODUCTS", data.draw(st.sampled_from([1, 64, 1000])))
        positions, scores = best_rows(
            rows, norms, Cosine(unit(queries)), count, excluded, data.draw(st.sampled_from(HELPERS))
        )
    assert positions.shape == scores.shape == (len(queries), min(count, len(rows)))
    expected = cosines(rows, queries)
    for query, row in pairs:
        expected[query, row] = np.nan
    for query in range(len(queries)):
        check(positions[query], scores[query], expected[query], count, rows)


@given(tables, st.data())
def test_the_best_products_are_those_of_a_plain_search(
    rows: np.ndarray, data: st.DataObject
) -> None:
    terms = data.draw(
        hnp.arrays(
            "float64",
            st.tuples(st.integers(1, 4), st.just(rows.shape[1])),
            elements=st.integers(-2, 2).map(float),
        )
    )
    split = data.draw(st.integers(0, len(terms)))
    count = data.draw(st.integers(1, 70))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scan, "GROUP", 2)
        patch.setattr(neighbours, "BLOCK_ROWS", data.draw(st.sampled_from([4, 8, 64])))
        patch.setattr(scan, "PATIENCE", data.draw(st.sampled_from([0, 4])))
        patch.setattr(neighbours, "PART_PRODUCTS", data.draw(st.sampled_from([1, 64])))
        norms = norms_of(rows, data.draw(st.booleans()))
        positions, scores = best_rows(
            rows,
            norms,
            MultipliedCosines(unit(terms[:split]), unit(terms[split:])),
            count,
            None,
            data.draw(st.sampled_from(HELPERS)),
        )
    shifted = (1 + cosines(rows, terms)) / 2
    expected = shifted[:split].prod(axis=0) / (shifted[split:].prod(axis=0) + 1e-6)
    # A cosine of -1 divides by 1e-6, and so the last digit of a cosine counts a million times.
    scale = max(1.0, float(np.nanmax(expected, initial=1)))
    expected[np.isnan(cosines(rows, terms[:1])[0])] = np.nan
    check(positions[0], scores[0] / scale, expected / scale, count, rows, error=1e-9)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
@pytest.mark.parametrize("kept", [False, True])
def test_many_rows_of_any_size(dtype: str, scale: float, kept: bool) -> None:
    generator = np.random.default_rng(0)
    rows = generator.standard_normal((3000, 24)) * scale ** generator.random((3000, 1))
    rows = np.clip(rows, -6e4, 6e4).astype(dtype) if dtype == "float16" else rows.astype(dtype)
    queries = generator.standard_normal((5, 24))
    positions, scores = best_rows(rows, norms_of(rows, kept), Cosine(unit(queries)), 20)
    expected = cosines(rows, queries)
    for query in range(5):
        check(positions[query], scores[query], expected[query], 20, rows)


@pytest.mark.parametrize("kept", [False, True])
def test_nearly_equal_rows_are_told_apart_beyond_float32(kept: bool) -> None:
    generator = np.random.default_rng(0)
    rows = np.ones((5000, 50)) + generator.standard_normal((5000, 50)) * 1e-7
    query = generator.standard_normal((1, 50))
    positions, _ = best_rows(rows, norms_of(rows, kept), Cosine(unit(query)), 10)
    assert positions[0].tolist() == np.argsort(-cosines(rows, query)[0])[:10].tolist()


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("helpers", HELPERS)
def test_the_answer_does_not_depend_on_the_other_queries(
    kept: bool, helpers: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(neighbours, "PART_PRODUCTS", 1 << 16)
    generator = np.random.default_rng(1)
    rows = generator.standard_normal((2000, 30), dtype="float32")
    queries = unit(generator.standard_normal((70, 30)))
    norms = Norms(rows)
    together = best_rows(rows, norms_of(rows, kept), Cosine(queries), 5, None, helpers)
    for number in (0, 33, 69):
        alone = best_rows(rows, norms, Cosine(queries[number : number + 1]), 5)
        assert np.array_equal(alone[0][0], together[0][number])
        assert np.array_equal(alone[1][0], together[1][number])


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("helpers", HELPERS)
@pytest.mark.parametrize("count", [1, 10, 300, 5000])
def test_many_equal_rows_among_others_in_several_parts(
    kept: bool, helpers: Any, count: int, monkeypatch: Any
) -> None:
    monkeypatch.setattr(neighbours, "PART_PRODUCTS", 1 << 12)
    monkeypatch.setattr(neighbours, "BLOCK_ROWS", 256)
    generator = np.random.default_rng(2)
    rows = generator.integers(-2, 3, (3000, 3)).astype("float32")
    queries = generator.integers(-2, 3, (4, 3)).astype("float64")
    excluded = np.repeat(np.arange(4), 50), generator.integers(0, 3000, 200)
    norms = norms_of(rows, kept)
    found = best_rows(rows, norms, Cosine(unit(queries)), count, excluded, helpers)
    expected = cosines(rows, queries)
    expected[excluded] = np.nan
    for query, (positions, scores) in enumerate(zip(*found, strict=True)):
        check(positions, scores, expected[query], count, rows)


def test_equal_rows_come_in_the_order_of_the_words() -> None:
    vectors = Vectors([f"w{i}" for i in range(500)], np.ones((500, 4)))
    found = vectors.most_similar("w7", topn=5)
    assert [word for word, _ in found] == ["w0", "w1", "w2", "w3", "w4"]


def test_a_mapped_table_is_searched(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).standard_normal((300, 8)).astype("float32")
    np.save(tmp_path / "rows.npy", rows)
    mapped = np.load(tmp_path / "rows.npy", mmap_mode="r")
    queries = Cosine(unit(rows[:3]))
    for ours, theirs in zip(
        best_rows(mapped, Norms(mapped), queries, 4),
        best_rows(rows, Norms(rows), queries, 4),
        strict=True,
    ):
        assert np.array_equal(ours, theirs)


def test_an_empty_table_has_no_neighbours() -> None:
    assert Vectors([], np.empty((0, 3))).most_similar([1, 0, 0]) == []


# gensim ------------------------------------------------------------------------------------------


def same(ours: Any, theirs: Any) -> None:
    """The same words and, to 1e-6, the same scores; order may differ where these are equal."""
    assert [score for _, score in ours] == pytest.approx([s for _, s in theirs], abs=1e-6)
    for (our_word, our_score), (their_word, _) in zip(ours, theirs, strict=True):
        if our_word != their_word:
            assert dict(theirs)[our_word] == pytest.approx(our_score, abs=1e-6)
            assert dict(ours)[their_word] == pytest.approx(our_score, abs=1e-6)


def test_neighbours_are_gensims(glove: Vectors, gensim_glove: Any) -> None:
    words = [*glove.words[:5000:25]]
    for word, found in zip(words, glove.most_similar(words, topn=10), strict=True):
        theirs = gensim_glove.most_similar(word, topn=10)
        assert [name for name, _ in found] == [name for name, _ in theirs]
        same(found, theirs)


TERMS = [
    (["woman", "king"], ["man"]),
    (["paris", "germany"], ["france"]),
    (["king"], []),
    ([], ["king"]),
    ([("king", 0.5), ("woman", 2.0)], ["man"]),
    ([("king", -0.5), "woman"], [("man", 0.25)]),
]


@pytest.mark.parametrize(("positive", "negative"), TERMS)
def test_sums_of_words_are_gensims(
    positive: Any, negative: Any, glove: Vectors, gensim_glove: Any
) -> None:
    same(
        glove.most_similar(positive=positive, negative=negative, topn=15),
        # gensim takes a weight's sign from its list: a negative word has -1 and no other.
        gensim_glove.most_similar(
            positive=positive + [_negated(term) for term in negative], topn=15
        ),
    )


def _negated(term: Any) -> tuple[str, float]:
    word, weight = term if isinstance(term, tuple) else (term, 1.0)
    return word, -weight


# gensim calls an own method of its own that it calls deprecated.
@pytest.mark.filterwarnings("ignore:Call to deprecated `init_sims`:DeprecationWarning")
@pytest.mark.parametrize(("positive", "negative"), TERMS[:3])
def test_products_of_cosines_are_gensims(
    positive: Any, negative: Any, glove: Vectors, gensim_glove: Any
) -> None:
    same(
        glove.most_similar(positive=positive, negative=negative, method="mul", topn=15),
        gensim_glove.most_similar_cosmul(positive=positive, negative=negative, topn=15),
    )


def test_similarity_and_the_odd_one_out_are_gensims(glove: Vectors, gensim_glove: Any) -> None:
    for one, other in [("king", "queen"), ("the", "cat"), ("car", "car")]:
        theirs = gensim_glove.similarity(one, other)
        assert glove.similarity(one, other) == pytest.approx(theirs, abs=1e-6)
    for words in (["london", "berlin", "money", "paris"], ["red", "blue", "green", "paris"]):
        assert glove.doesnt_match(words) == gensim_glove.doesnt_match(words)
