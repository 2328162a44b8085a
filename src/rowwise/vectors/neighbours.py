"""Exact nearest rows by cosine similarity."""

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]

# Rows scored at once: 65,536 scores are 256 KiB, which stays in cache while the best are picked.
BLOCK_ROWS = 65_536


def row_norms(rows: FloatArray) -> FloatArray:
    """Euclidean norm of each row of ``rows`` (n, d) -> float32 (n,); 1 for a zero row.

    Zero rows get 1 so that dividing by the norm leaves them zero: their cosine with anything is 0.
    """
    norms: FloatArray = np.sqrt(
        np.einsum("ij,ij->i", rows, rows, dtype=np.float32, casting="unsafe")
    )
    norms[norms == 0] = 1
    return norms


def nearest(
    rows: FloatArray,
    norms: FloatArray,
    query: FloatArray,
    count: int,
    excluded: npt.NDArray[np.intp],
) -> tuple[npt.NDArray[np.intp], FloatArray]:
    """The ``count`` rows with the highest cosine to ``query``, best first.

    Rows are scored in blocks, and only the best of each block are kept, so nothing of the size
    of the table is ever made. Ties go to the lower index.

    Args:
        rows: (n, d) float32.
        norms: (n,) float32, as ``row_norms`` gives them.
        query: (d,) float32, any length but zero.
        count: how many to return; fewer come back when fewer rows are left.
        excluded: indices of rows that are not to be returned.

    Returns:
        indices (count,) and their cosines (count,) float32.
    """
    direction = query / (np.linalg.norm(query) or 1)
    candidates: list[npt.NDArray[np.intp]] = []
    scores: list[FloatArray] = []
    # The excluded rows may be among the best of a block: keep that many more.
    kept = count + len(excluded)
    for start in range(0, len(rows), BLOCK_ROWS):
        part = slice(start, start + BLOCK_ROWS)
        with np.errstate(invalid="ignore", over="ignore"):
            block = (rows[part] @ direction) / norms[part]
        block[~np.isfinite(block)] = -np.inf  # rows with NaN are near to nothing
        best = (
            np.argsort(-block, kind="stable")[:kept] if len(block) <= kept else _best(block, kept)
        )
        candidates.append(best + start)
        scores.append(block[best])
    indices, cosines = np.concatenate(candidates), np.concatenate(scores)
    wanted = ~np.isin(indices, excluded) & (cosines > -np.inf)
    indices, cosines = indices[wanted], cosines[wanted]
    order = np.lexsort((indices, -cosines))[:count]
    return indices[order], cosines[order]


def _best(scores: FloatArray, count: int) -> npt.NDArray[np.intp]:
    """Indices of the ``count`` highest scores; among equal ones at the edge, the lowest indices."""
    edge = np.partition(scores, len(scores) - count)[len(scores) - count]
    above = np.flatnonzero(scores > edge)
    level = np.flatnonzero(scores == edge)[: count - len(above)]
    return np.concatenate([above, level])
