"""What a page holds: words, points, neighbours, colours and rounded rows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rowwise.errors import InvalidArgumentError
from rowwise.text.wording import counted
from rowwise.vectors import Vectors
from rowwise.vectors.arguments import as_whole_number
from rowwise.vectors.norms import unit
from rowwise.viz.page.colours import Colouring, all_colourings
from rowwise.viz.page.nearest import nearest_of_all
from rowwise.viz.page.rounding import RoundedRows, rounded
from rowwise.viz.projection import (
    UMAP_NEIGHBOURS,
    AnyMethod,
    Method,
    check_seed,
    lay_out_umap,
    method_for,
    project,
)
from rowwise.viz.words import chosen_words

# More dots are slow in a browser.
MOST_WORDS = 100_000
# Bytes of the rounded rows: with them a page of 50,000 words has less than 15 MB.
_ROW_BYTES = 6_000_000


@dataclass(frozen=True)
class Contents:
    """Of n words that are shown."""

    words: list[str]
    total: int
    """Words of the table that they are from."""
    bad: list[str]
    """Words that are left out, since their rows hold NaN or infinity."""
    method: Method
    points: npt.NDArray[np.float32]
    """(n, 2)."""
    places: npt.NDArray[np.int32]
    """(n, k): of the nearest words, nearest first."""
    cosines: npt.NDArray[np.float32]
    """(n, k)."""
    rows: RoundedRows
    colourings: list[Colouring]


def contents_of(
    vectors: Vectors,
    words: Sequence[str] | None,
    method: AnyMethod,
    colours: Mapping[str, Sequence[Any]],
    neighbours: int,
    seed: int,
    tell: Callable[[int], None] | None,
) -> Contents:
    """Compute what a page shows; for the arguments see ``write_page``."""
    method_for(method, 0)
    check_seed(seed)
    neighbours = as_whole_number(neighbours, "neighbors", least=1)
    if words is not None and len(words) > MOST_WORDS:
        raise InvalidArgumentError(
            f"A page shows {MOST_WORDS:,} words at most. Received {len(words):,}: choose some."
        )
    chosen = chosen_words(vectors, words, MOST_WORDS)
    places = np.array([vectors.index(word) for word in chosen], dtype=np.intp)
    table = np.asarray(vectors.rows[places])
    sound = np.isfinite(table).all(axis=1)
    if not sound.any():
        raise InvalidArgumentError("All rows hold NaN or infinity: there is nothing to show.")
    kept = [word for word, is_sound in zip(chosen, sound, strict=True) if is_sound]
    for name, values in colours.items():
        if len(values) != len(chosen):
            raise InvalidArgumentError(
                f"{name!r} must have a value for each of the {counted(len(chosen), 'word')}. "
                f"Received {len(values):,}."
            )
    given = {
        name: [value for value, is_sound in zip(values, sound, strict=True) if is_sound]
        for name, values in colours.items()
    }
    rows = unit(table[sound]).astype(np.float32)
    near, cosines = nearest_of_all(rows, max(neighbours, UMAP_NEIGHBOURS - 1), tell)
    method = method_for(method, len(rows)) if len(rows) > 3 else "pca"  # as `project` does
    return Contents(
        words=kept,
        total=len(vectors),
        bad=[word for word, is_sound in zip(chosen, sound, strict=True) if not is_sound],
        method=method,
        points=_points(rows, method, near, cosines, seed),
        places=near[:, :neighbours],
        cosines=cosines[:, :neighbours],
        rows=rounded(rows, max(1, _ROW_BYTES // len(rows))),
        colourings=all_colourings(kept, rows, given, seed),
    )


def _points(
    rows: npt.NDArray[np.float32],
    method: Method,
    near: npt.NDArray[np.int32],
    cosines: npt.NDArray[np.float32],
    seed: int,
) -> npt.NDArray[np.float32]:
    """Points (n, 2); by UMAP from the neighbours that the page lists."""
    if method != "umap" or len(rows) < 4:
        return project(rows, method, seed)
    near, cosines = near[:, : UMAP_NEIGHBOURS - 1], cosines[:, : UMAP_NEIGHBOURS - 1]
    itself = np.arange(len(rows), dtype=np.int32)[:, None]
    places = np.concatenate([itself, near], axis=1)
    # Between rows of length 1; rounding can bring a cosine above 1.
    apart = np.sqrt(np.maximum(2 - 2 * cosines, 0))
    distances = np.concatenate([np.zeros((len(rows), 1), np.float32), apart], axis=1)
    return lay_out_umap(project(rows, "pca"), places, distances, seed)
