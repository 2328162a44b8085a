"""Words and their rows: the one value that moves between a model, a file, a plot and a server."""

from rowwise.vectors.approximate import ApproximateIndex
from rowwise.vectors.coverage import Coverage
from rowwise.vectors.vectors import Vectors

__all__ = ["ApproximateIndex", "Coverage", "Vectors"]
