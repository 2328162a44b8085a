"""Ids of texts as one padded array."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rowwise.text.checks import require_length, require_side


class EncodedTexts(NamedTuple):
    """Ids of texts, padded to one length.

    Attributes:
        ids: int32 ``(texts, length)``; 0 is padding.
        lengths: int32 ``(texts,)``, how many ids of each row are not padding.
    """

    ids: NDArray[np.int32]
    lengths: NDArray[np.int32]

    @property
    def mask(self) -> NDArray[np.bool_]:
        """True where a word stands, False at padding; bool ``(texts, length)``."""
        return np.not_equal(self.ids, 0)


def pad_rows(
    flat: NDArray[np.int32],
    offsets: NDArray[np.int64],
    max_length: int | None,
    padding: str,
    truncating: str,
) -> EncodedTexts:
    """Pad rows that lie one behind the other in a flat array.

    Args:
        flat: int32 ``(words,)``, no id is 0.
        offsets: int64 ``(texts + 1,)``; row ``t`` is ``flat[offsets[t]:offsets[t + 1]]``.
        max_length: columns of the result; None: as many as the longest row.
        padding: "pre" or "post", the side at which zeros are added.
        truncating: "pre" or "post", the side at which a longer row is cut.

    Raises:
        InvalidArgumentError: ``padding`` or ``truncating`` is no side, or ``max_length`` is
            negative.
    """
    require_side("padding", padding)
    require_side("truncating", truncating)
    require_length("max_length", max_length)
    lengths = np.diff(offsets)
    columns = int(lengths.max(initial=0)) if max_length is None else int(max_length)
    kept = np.minimum(lengths, columns)
    if (kept < lengths).any():
        skipped = lengths - kept if truncating == "pre" else np.zeros_like(lengths)
        place = np.arange(len(flat)) - np.repeat(offsets[:-1] + skipped, lengths)
        flat = flat[(place >= 0) & (place < columns)]
    ids = np.zeros((len(lengths), columns), dtype=np.int32)
    ids[row_mask(kept, columns, padding)] = flat
    return EncodedTexts(ids, kept.astype(np.int32))


def row_mask(lengths: NDArray[np.int64], columns: int, padding: str) -> NDArray[np.bool_]:
    """Return where values stand when rows are padded; bool ``(len(lengths), columns)``."""
    place = np.arange(columns)
    if padding == "pre":
        return place >= (columns - lengths)[:, np.newaxis]
    return place < lengths[:, np.newaxis]
