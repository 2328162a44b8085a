"""An index for approximate neighbours, for tables of millions of rows; made by usearch."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from rowwise.errors import DataFileError, InvalidArgumentError, MissingExtraError
from rowwise.files import atomic_path
from rowwise.text.wording import counted
from rowwise.vectors.arguments import as_path, as_vectors, as_whole_number
from rowwise.vectors.norms import DoubleArray, RowArray, blocks, unit
from rowwise.vectors.scan import Positions

if TYPE_CHECKING:
    from rowwise.vectors.vectors import Vectors

# More candidates than are wanted, since they are put in order by their exact cosines.
SPARE = 2


class ApproximateIndex:
    """A graph in which near rows are found by looking at few of them (HNSW).

    Give it to ``most_similar(..., index=index)``. It may miss a near row; those that it finds come
    with exact cosines, in their order. Making it takes far longer than one exact query, so it pays
    for many queries on large tables. It holds the directions of all rows once more, in float16.

    Args:
        vectors: what to look in. Rows that hold NaN, or are zero, are left out.
        connectivity: edges of a row in the graph; more find more and take more memory.
        expansion_add: how thoroughly a row's neighbours are sought when it is added.
        expansion_search: the same for queries; at least twice the ``topn`` asked for is taken.

    Raises:
        InvalidArgumentError: ``vectors`` are none, or a number is not a positive whole one.
        MissingExtraError: usearch is not installed.
    """

    def __init__(
        self,
        vectors: "Vectors",
        *,
        connectivity: int = 16,
        expansion_add: int = 128,
        expansion_search: int = 64,
    ) -> None:
        vectors = as_vectors(vectors)
        self._index = _usearch().Index(
            ndim=vectors.dimension,
            metric="cos",
            dtype="f16",
            connectivity=as_whole_number(connectivity, "connectivity", least=1),
            expansion_add=as_whole_number(expansion_add, "expansion_add", least=1),
            expansion_search=as_whole_number(expansion_search, "expansion_search", least=1),
        )
        self._size = len(vectors)
        for part in blocks(len(vectors), vectors.dimension):
            directions = unit(vectors.rows[part])
            good = np.flatnonzero(np.isfinite(directions).all(axis=1) & directions.any(axis=1))
            if len(good):
                self._index.add(part.start + good, directions[good].astype(np.float32))

    def __len__(self) -> int:
        """How many rows can be found."""
        return len(self._index)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the index, but not the vectors, to a file of usearch's format."""
        with atomic_path(as_path(path)) as temporary:
            self._index.save(str(temporary))

    @classmethod
    def load(cls, path: str | os.PathLike[str], vectors: "Vectors") -> Self:
        """Read what ``save`` wrote, mapped from the file.

        Args:
            path: the file.
            vectors: those that the index was made of.

        Raises:
            DataFileError: the file is missing, or holds no index for vectors such as these.
            MissingExtraError: usearch is not installed.
        """
        source, vectors = Path(as_path(path)), as_vectors(vectors)
        if not os.path.isfile(source):
            raise DataFileError(f"There is no index at {str(source)!r}. Check the path.")
        self = cls.__new__(cls)
        try:
            self._index = _usearch().Index.restore(str(source), view=True)
        except (RuntimeError, ValueError) as error:
            raise DataFileError(
                f"{str(source)!r} is not a whole usearch index: {error}."
            ) from error
        self._size = len(vectors)
        highest = int(np.asarray(self._index.keys).max()) if len(self._index) else -1
        if self._index.ndim != vectors.dimension or highest >= len(vectors):
            raise DataFileError(
                f"The index in {str(source)!r} was made of other vectors: it has "
                f"{self._index.ndim} columns and rows up to {highest:,}; these are "
                f"{len(vectors):,} x {vectors.dimension}."
            )
        return self

    def candidates(self, directions: DoubleArray, count: int) -> Positions:
        """Positions (queries, k) of rows that are probably near to ``directions`` (queries, d).

        -1 where there are fewer.
        """
        wanted = min(SPARE * count, len(self._index))
        if not wanted or not len(directions):
            return np.empty((len(directions), 0), dtype=np.intp)
        before = self._index.expansion_search
        self._index.expansion_search = max(before, wanted)
        try:
            found = self._index.search(directions.astype(np.float32), wanted)
        finally:
            self._index.expansion_search = before
        counts = np.atleast_1d(np.asarray(getattr(found, "counts", wanted)))
        positions = np.atleast_2d(found.keys).astype(np.intp)
        positions[np.arange(positions.shape[1]) >= counts[:, np.newaxis]] = -1
        return positions

    def nearest(
        self,
        rows: RowArray,
        directions: DoubleArray,
        count: int,
        excluded: tuple[Positions, Positions],
    ) -> tuple[Positions, DoubleArray]:
        """As ``neighbours.best_rows`` for cosines, among the candidates alone."""
        if len(rows) != self._size:
            raise InvalidArgumentError(
                f"The index was made of {counted(self._size, 'row')}; these vectors have "
                f"{len(rows):,}."
            )
        most = int(np.bincount(excluded[0]).max(initial=0))
        positions = self.candidates(directions, count + most)
        scores = np.full(positions.shape, -np.inf)
        for number, direction in enumerate(directions):
            out = excluded[1][excluded[0] == number]
            real = (positions[number] >= 0) & ~np.isin(positions[number], out)
            scores[number, real] = unit(rows[positions[number, real]]) @ direction
            positions[number, ~real] = -1
            order = np.lexsort((positions[number], -scores[number]))
            positions[number], scores[number] = positions[number, order], scores[number, order]
        return positions[:, :count], np.clip(scores[:, :count], -np.inf, 1)


def _usearch() -> Any:
    try:
        import usearch.index
    except ImportError as error:
        raise MissingExtraError("An approximate index", "usearch", "approximate") from error
    return usearch.index
