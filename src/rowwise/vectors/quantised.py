"""Product-quantised matrices: a byte for every few columns of a row, a code into a book of pieces.

H. Jégou, M. Douze, C. Schmid: Product Quantization for Nearest Neighbor Search, 2011.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]


class QuantisedMatrix:
    """A matrix (n, d) of which rows are put together when they are asked for.

    Args:
        codes: uint8 (n, pieces).
        books: for each piece float32 (codes, columns of the piece).
        norms: float32 (n,), by which rows are multiplied, or None.
        projection: float32 (d, d), by which rows are multiplied from the right, or None.
    """

    dtype = np.dtype(np.float32)

    def __init__(
        self,
        codes: npt.NDArray[np.uint8],
        books: list[FloatArray],
        norms: FloatArray | None = None,
        projection: FloatArray | None = None,
    ) -> None:
        self.codes, self.books, self.norms, self.projection = codes, books, norms, projection
        self.shape = (len(codes), sum(book.shape[1] for book in books))

    def __len__(self) -> int:
        return self.shape[0]

    def take(self, rows: npt.NDArray[np.integer[Any]]) -> FloatArray:
        """The rows with these numbers, float32 (k, d)."""
        codes = self.codes[rows]
        taken = np.empty((len(codes), self.shape[1]), dtype=np.float32)
        start = 0
        for piece, book in enumerate(self.books):
            taken[:, start : start + book.shape[1]] = book[codes[:, piece]]
            start += book.shape[1]
        if self.projection is not None:
            taken = taken @ self.projection.T
        if self.norms is not None:
            taken *= self.norms[rows, None]
        return taken


Matrix = npt.NDArray[Any] | QuantisedMatrix


def take(matrix: Matrix, rows: npt.NDArray[np.integer[Any]]) -> FloatArray:
    """Rows of a plain or a quantised matrix, float32 (k, d)."""
    if isinstance(matrix, QuantisedMatrix):
        return matrix.take(rows)
    taken: FloatArray = matrix[rows].astype(np.float32, copy=False)
    return taken
