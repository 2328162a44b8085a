"""Words on their way: their rows at several moments of training."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from rowwise.errors import InvalidArgumentError, InvalidShapeError
from rowwise.viz.projection import project


@dataclass(frozen=True, eq=False)
class Journey:
    """Rows of some words at several moments, as ``RecordWords`` records them.

    Attributes:
        words: n of them.
        moments: what each moment is called, such as ``"start"`` and ``"epoch 1"``.
        rows: float32 (moments, n, d).

    Raises:
        InvalidShapeError: another shape of ``rows``.
        InvalidArgumentError: no words, no moments, a word twice, or rows with NaN or infinity.
    """

    words: Sequence[str]
    moments: Sequence[str]
    rows: npt.NDArray[np.float32]

    def __post_init__(self) -> None:
        for name in ("words", "moments"):
            object.__setattr__(self, name, tuple(map(str, getattr(self, name))))
        object.__setattr__(self, "rows", np.asarray(self.rows, dtype=np.float32))
        shape = np.shape(self.rows)
        if len(shape) != 3 or shape[:2] != (len(self.moments), len(self.words)):
            raise InvalidShapeError(
                f"`rows` must have shape ({len(self.moments)}, {len(self.words)}, columns): "
                f"moments, words, columns. Received: {shape}."
            )
        if not self.words or not self.moments:
            raise InvalidArgumentError("A journey needs at least one word and one moment.")
        if len(set(self.words)) < len(self.words):
            raise InvalidArgumentError("`words` must name each word once.")
        finite = np.isfinite(self.rows).all(axis=2)
        if not finite.all():
            moment, word = np.argwhere(~finite)[0]
            raise InvalidArgumentError(
                f"The row of {self.words[word]!r} holds NaN or infinity at "
                f"{self.moments[moment]!r}: training went astray there."
            )

    @cached_property
    def points(self) -> npt.NDArray[np.float32]:
        """Where each word is at each moment, (moments, n, 2): one PCA of all rows of all moments.

        So the same place means the same at every moment.
        """
        moments, words, columns = self.rows.shape
        flat = project(self.rows.reshape(moments * words, columns), "pca")
        return flat.reshape(moments, words, 2)
