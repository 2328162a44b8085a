"""``ApproximateIndex``: finds nearly all that the exact search finds, with the same cosines."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rowwise.errors import DataFileError, InvalidArgumentError, MissingExtraError
from rowwise.vectors import ApproximateIndex, Vectors


@pytest.fixture(scope="module")
def index(glove: Vectors) -> ApproximateIndex:
    return ApproximateIndex(glove)


def test_nearly_all_neighbours_are_found(glove: Vectors, index: ApproximateIndex) -> None:
    words = list(glove.words[:3000:30])
    exact = glove.most_similar(words, topn=10)
    found = glove.most_similar(words, topn=10, index=index)
    common = sum(
        len({*dict(one)} & {*dict(other)}) for one, other in zip(exact, found, strict=True)
    )
    assert common >= 0.95 * 1000
    for word, one, other in zip(words, exact, found, strict=True):
        assert len(other) == 10
        assert word not in dict(other)
        scores = [score for _, score in other]
        assert scores == sorted(scores, reverse=True)
        for name in {*dict(one)} & {*dict(other)}:
            assert dict(one)[name] == pytest.approx(dict(other)[name], abs=1e-12)


def test_rows_and_sums_are_asked_alike(glove: Vectors, index: ApproximateIndex) -> None:
    assert glove.most_similar(glove["king"], topn=1, index=index)[0][0] == "king"
    terms: dict[str, Any] = {"positive": ["king", "woman"], "negative": ["man"], "topn": 1}
    assert glove.most_similar(**terms, index=index)[0][0] == "queen"
    with pytest.raises(InvalidArgumentError, match="leave out method='mul'"):
        glove.most_similar(**terms, method="mul", index=index)


def test_an_index_is_saved_and_mapped(
    glove: Vectors, index: ApproximateIndex, tmp_path: Path
) -> None:
    index.save(tmp_path / "glove.usearch")
    assert [path.name for path in tmp_path.iterdir()] == ["glove.usearch"]
    read = ApproximateIndex.load(tmp_path / "glove.usearch", glove)
    assert len(read) == len(index) == len(glove)
    assert glove.most_similar("king", index=read) == glove.most_similar("king", index=index)
    for other in (Vectors(glove.words, np.ones((5050, 3))), Vectors(["a"], np.ones((1, 50)))):
        with pytest.raises(DataFileError, match="was made of other vectors"):
            ApproximateIndex.load(tmp_path / "glove.usearch", other)
    (tmp_path / "text").write_text("no index " * 100)
    with pytest.raises(DataFileError, match="not a whole usearch index"):
        ApproximateIndex.load(tmp_path / "text", glove)
    with pytest.raises(DataFileError, match="There is no index at"):
        ApproximateIndex.load(tmp_path / "none", glove)


def test_rows_without_a_direction_are_left_out() -> None:
    rows = [[1, 0], [0, 0], [np.nan, 1], [1, 1], [0, 1]]
    vectors = Vectors(["a", "zero", "nan", "b", "c"], rows)
    index = ApproximateIndex(vectors)
    assert len(index) == 3
    found = vectors.most_similar(["a", "b"], topn=5, index=index)
    assert [[word for word, _ in one] for one in found] == [["b", "c"], ["a", "c"]]


def test_an_empty_index_finds_nothing() -> None:
    vectors = Vectors(["zero"], [[0, 0]])
    assert vectors.most_similar([1, 0], index=ApproximateIndex(vectors)) == []
    assert vectors.most_similar(np.empty((0, 2)), index=ApproximateIndex(vectors)) == []


def test_an_index_of_other_vectors_is_refused(glove: Vectors, index: ApproximateIndex) -> None:
    few = Vectors(glove.words[:10], glove.rows[:10])
    with pytest.raises(InvalidArgumentError, match="made of 5,050 rows; these vectors have 10"):
        few.most_similar("the", index=index)


def test_without_usearch_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "usearch", None)
    monkeypatch.setitem(sys.modules, "usearch.index", None)
    with pytest.raises(MissingExtraError, match=r"rowwise\[approximate\]"):
        ApproximateIndex(Vectors(["a"], [[1.0]]))
