"""Projections: any number of rows, the same points for the same seed, clear errors."""

import numpy as np
import pytest
from sklearn.decomposition import PCA
from threadpoolctl import threadpool_limits

from rowwise.errors import InvalidArgumentError, InvalidShapeError
from rowwise.viz import project


def rows_of(n: int, d: int = 6, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


@pytest.mark.parametrize("method", ["tsne", "pca", "umap"])
@pytest.mark.parametrize("n", [0, 1, 2, 3, 4, 5, 8, 40])
@pytest.mark.parametrize("d", [1, 2, 6])
def test_any_number_of_rows(method, n, d):
    points = project(rows_of(n, d), method)
    assert points.shape == (n, 2)
    assert points.dtype == np.float32
    assert np.isfinite(points).all()
    assert len(np.unique(points, axis=0)) == n


@pytest.mark.parametrize("method", ["tsne", "pca", "umap"])
def test_deterministic(method):
    rows = rows_of(60)
    first = project(rows, method, seed=3)
    with threadpool_limits(limits=1):
        second = project(rows.copy(), method, seed=3)
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("method", ["tsne", "umap"])
def test_the_seed_matters(method):
    rows = rows_of(60)
    assert not np.array_equal(project(rows, method, seed=1), project(rows, method, seed=2))


def test_pca_agrees_with_scikit_learn():
    rows = rows_of(50)
    expected = PCA(2, svd_solver="full").fit_transform(rows)
    np.testing.assert_allclose(np.abs(project(rows, "pca")), np.abs(expected), atol=1e-4)


@pytest.mark.parametrize("method", ["tsne", "pca", "umap"])
def test_three_rows_keep_their_distances(method):
    rows = rows_of(3)
    points = project(rows, method)
    for a, b in [(0, 1), (0, 2), (1, 2)]:
        expected = np.linalg.norm(rows[a] - rows[b])
        assert np.linalg.norm(points[a] - points[b]) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("method", ["tsne", "umap"])
def test_clusters_are_kept_together(method):
    centres = rows_of(4, 20, seed=1) * 10
    rows = np.repeat(centres, 12, axis=0) + rows_of(48, 20)
    points = project(rows, method)
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    assert (distances.argmin(axis=1) // 12 == np.arange(48) // 12).all()


@pytest.mark.parametrize("method", ["tsne", "pca", "umap"])
@pytest.mark.parametrize("n", [1, 3, 10])
def test_equal_rows(method, n):
    assert np.isfinite(project(np.ones((n, 3)), method)).all()


@pytest.mark.parametrize("scale", [1e-30, 1e30])
@pytest.mark.parametrize("method", ["tsne", "umap"])
def test_scale_does_not_matter(method, scale):
    rows = rows_of(20).astype(np.float64)
    np.testing.assert_allclose(
        project(rows * scale, method), project(rows, method), rtol=0.05, atol=0.5
    )


def test_perplexity():
    rows = rows_of(20)
    assert not np.array_equal(project(rows, perplexity=2), project(rows, perplexity=10))


@pytest.mark.parametrize(
    ("method", "perplexity"), [("tsne", 0), ("tsne", 20), ("tsne", float("nan")), ("pca", 5)]
)
def test_wrong_perplexity(method, perplexity):
    with pytest.raises(InvalidArgumentError, match="less than the number of rows, 20"):
        project(rows_of(20), method, perplexity=perplexity)


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, None, "1"])
@pytest.mark.parametrize("method", ["tsne", "pca", "umap"])
def test_wrong_seed(seed, method):
    with pytest.raises(InvalidArgumentError, match="`seed` must be a whole number from 0 to 4294"):
        project(rows_of(9), method, seed)


def test_the_largest_seed():
    for seed in (2**32 - 1, np.int64(3)):
        assert project(rows_of(9), "tsne", seed).shape == (9, 2)
        assert project(rows_of(9), "umap", seed).shape == (9, 2)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("method", ["tsne", "pca", "umap"])
def test_rows_that_are_not_finite_are_named(value, method):
    rows = rows_of(9)
    rows[[4, 7], 2] = value
    with pytest.raises(InvalidArgumentError, match=r"Row 4 holds NaN or infinity; 2 of 9 rows do"):
        project(rows, method)


@pytest.mark.parametrize("shape", [(3,), (3, 0), (2, 2, 2)])
def test_wrong_shape(shape):
    with pytest.raises(InvalidShapeError, match=r"must be a matrix"):
        project(np.zeros(shape))


def test_wrong_method_and_dtype():
    with pytest.raises(
        InvalidArgumentError, match=r"must be 'auto', 'tsne', 'pca' or 'umap'. Received: 'mds'"
    ):
        project(rows_of(3), "mds")
    with pytest.raises(InvalidArgumentError, match=r"must be real numbers. Received dtype <U1"):
        project(np.array([["a"]]))
