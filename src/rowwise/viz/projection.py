"""From rows with many columns to points on a plane."""

import warnings
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from rowwise.errors import InvalidArgumentError, InvalidShapeError, MissingExtraError
from rowwise.text.wording import counted

Method = Literal["tsne", "pca", "umap"]
# Or the one that suits the number of rows.
AnyMethod = Method | Literal["auto"]
METHOD_NAMES = {"tsne": "t-SNE", "pca": "PCA", "umap": "UMAP"}

# scikit-learn's default perplexity: about how many neighbours of a row count as near.
_PERPLEXITY = 30.0

# t-SNE takes more than a minute beyond.
_ROWS_BY_TSNE = 2_000

# umap-learn's default number of neighbours, the row itself among them.
UMAP_NEIGHBOURS = 15


def project(
    rows: npt.ArrayLike,
    method: AnyMethod = "auto",
    seed: int = 0,
    perplexity: float | None = None,
) -> npt.NDArray[np.float32]:
    """Lay rows out on a plane: float32 (n, 2).

    The same rows and seed give the same points, whatever the number of cores.

    Args:
        rows: real numbers (n, d), with d at least 1.
        method: ``"tsne"`` keeps near rows near (van der Maaten and Hinton, 2008); ``"pca"`` keeps
            as much of the variance as two straight directions can; ``"umap"`` keeps near rows near,
            too, and takes far less time for tens of thousands (McInnes, Healy and Melville, 2018).
            Fewer than four rows have no near and far neighbours to tell apart, so for them t-SNE
            and UMAP give way to PCA, which shows the distances between three rows exactly.
            ``"auto"`` is t-SNE for up to 2,000 rows, and UMAP for more.
        seed: starts t-SNE and UMAP a little differently, a whole number from 0 to 2**32 - 1; PCA
            has nothing random.
        perplexity: for t-SNE, about how many neighbours count as near; more than 0 and less than
            n. Chosen by default: 30, or (n - 1) / 3 when there are fewer than 91 rows.

    Raises:
        InvalidShapeError: ``rows`` is not a matrix, or has no columns.
        InvalidArgumentError: a row with NaN or infinity (the message says which), an unknown
            method, another seed, or a perplexity that does not fit.
        MissingExtraError: ``"umap"``, and umap-learn is not installed.
    """
    method_for(method, 0)
    check_seed(seed)
    table = _checked(rows)
    n = len(table)
    method = method_for(method, n)
    if perplexity is not None and (method != "tsne" or not 0 < perplexity < n):
        raise InvalidArgumentError(
            f"`perplexity` must be more than 0 and less than the number of rows, {n}, and is for "
            f"method='tsne' alone. Received: perplexity={perplexity!r}, method={method!r}."
        )
    centred = table - table.mean(axis=0) if n else table
    largest = np.abs(centred).max(initial=0.0)
    if largest == 0.0:
        return np.zeros((n, 2), dtype=np.float32)
    # Neither method minds the scale; squares of very large or small numbers would not fit float32.
    flat = _principal(centred / largest)
    if method == "pca" or n < 4:
        points: npt.NDArray[np.float32] = (flat * largest).astype(np.float32)
        return points
    scaled = (centred / largest).astype(np.float32)
    if method == "umap":
        return lay_out_umap(flat, *_nearest(scaled), seed)
    chosen = min(_PERPLEXITY, (n - 1) / 3) if perplexity is None else perplexity
    return _tsne(scaled, flat, seed, chosen)


def method_for(method: AnyMethod, count: int) -> Method:
    """``method``; where it is ``"auto"``, t-SNE for up to 2,000 rows and UMAP for more.

    Raises:
        InvalidArgumentError: an unknown method.
    """
    if method == "auto":
        return "tsne" if count <= _ROWS_BY_TSNE else "umap"
    if method not in get_args(Method):
        raise InvalidArgumentError(
            f"`method` must be 'auto', 'tsne', 'pca' or 'umap'. Received: {method!r}."
        )
    return method


def check_seed(seed: int) -> None:
    """Refuse what no generator of random numbers starts from.

    Raises:
        InvalidArgumentError: it is no whole number, negative, or more than 2**32 - 1.
    """
    if not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2**32:
        raise InvalidArgumentError(
            f"`seed` must be a whole number from 0 to {2**32 - 1}. Received: {seed!r}."
        )


def _checked(rows: npt.ArrayLike) -> npt.NDArray[np.float64]:
    table = np.asarray(rows)
    if table.ndim != 2 or table.shape[1] == 0:
        raise InvalidShapeError(
            f"`rows` must be a matrix with at least one column. Received shape {table.shape}."
        )
    if table.dtype.kind not in "fiub":
        raise InvalidArgumentError(f"`rows` must be real numbers. Received dtype {table.dtype}.")
    finite = np.isfinite(table).all(axis=1)
    if not finite.all():
        raise InvalidArgumentError(
            f"Every number must be finite. Row {int(np.argmin(finite))} holds NaN or infinity; "
            f"{int((~finite).sum()):,} of {counted(len(table), 'row')} do. Leave them out."
        )
    return table.astype(np.float64)


def _principal(centred: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The two directions of most variance, (n, 2); zeros where there is only one."""
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    directions = directions[:2]
    # A direction's sign is arbitrary: let its largest part be positive.
    largest = np.abs(directions).argmax(axis=1)
    directions = directions * np.sign(directions[np.arange(len(directions)), largest])[:, None]
    flat = np.zeros((len(centred), 2))
    flat[:, : len(directions)] = centred @ directions.T
    return flat


def _tsne(
    table: npt.NDArray[np.float32], flat: npt.NDArray[np.float64], seed: int, perplexity: float
) -> npt.NDArray[np.float32]:
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    # Start from the principal directions, as is usual, with a little noise: it parts equal rows.
    start = flat / flat[:, 0].std() * 1e-4
    start += np.random.default_rng(seed).normal(scale=1e-6, size=flat.shape)
    tsne = TSNE(perplexity=perplexity, init=start.astype(np.float32), random_state=seed)
    # With several threads the order of a sum differs between runs, and t-SNE magnifies that.
    with threadpool_limits(limits=1):
        points: npt.NDArray[np.float32] = tsne.fit_transform(table)
    return points.astype(np.float32)


def _nearest(
    table: npt.NDArray[np.float32],
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float64]]:
    """For each row the places (n, k) of the nearest ones, itself first, and the distances."""
    from sklearn.neighbors import NearestNeighbors
    from threadpoolctl import threadpool_limits

    search = NearestNeighbors(n_neighbors=min(UMAP_NEIGHBOURS, len(table)), algorithm="brute")
    with threadpool_limits(limits=1):
        distances, places = search.fit(table).kneighbors(table)
    return places, distances


def lay_out_umap(
    flat: npt.NDArray[np.floating],
    places: npt.NDArray[np.integer],
    distances: npt.NDArray[np.floating],
    seed: int,
) -> npt.NDArray[np.float32]:
    """Points (n, 2) by UMAP, from the nearest rows of each row, whatever they were found by.

    Args:
        flat: (n, 2), where the points start: the two directions of most variance.
        places: (n, k) of the nearest rows, the row itself first.
        distances: (n, k), to them.
        seed: whole number.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it says what else could be installed beside it
            from umap.umap_ import (
                find_ab_params,
                fuzzy_simplicial_set,
                simplicial_set_embedding,
            )
    except ImportError as error:
        raise MissingExtraError("A map by UMAP", "umap-learn", "plot") from error
    from scipy.sparse import coo_matrix

    random = np.random.RandomState(seed)
    places, distances = places.astype(np.int32), distances.astype(np.float32)
    n, k = places.shape
    start = flat / (flat[:, 0].std() or 1.0) * 5 + random.normal(scale=1e-4, size=flat.shape)
    graph, _, _ = fuzzy_simplicial_set(
        coo_matrix((n, 1), dtype=np.float32), k, random, "euclidean", None, places, distances
    )
    points, _ = simplicial_set_embedding(
        np.zeros((n, 1), np.float32),
        graph,
        2,
        1.0,  # the learning rate at the start
        *find_ab_params(1.0, 0.1),  # spread, and how near two points may come
        1.0,  # how much the repulsion counts
        5,  # points that repel, for each that attracts
        500 if n <= 10_000 else 200,  # passes
        start.astype(np.float32),
        random,
        "euclidean",
        {},
        False,
        {},
        False,
        parallel=False,  # or else the result depends on the number of cores
    )
    laid: npt.NDArray[np.float32] = np.asarray(points, dtype=np.float32)
    return laid
