"""The confusion matrix: what each class was taken for."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from rowwise.errors import InvalidArgumentError, InvalidShapeError
from rowwise.viz.figures import FAINT, INK, MUTED, new_figure
from rowwise.viz.lettering import lettering_for, measured

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Up to so many classes: inches of a cell's side, points of a count, points of a class's name.
_SIZES = ((4, 1.0, 13.0, 11.0), (12, 0.7, 9.5, 10.0), (30, 0.36, 7.5, 8.5), (0, 0.21, 5.5, 7.0))
# Up to so many classes a cell has room for its share beside its count.
_WITH_SHARE = 12
_NAME_LIMIT = 48
# Inches: around everything, and for the heading of each side and for the scale.
_MARGIN, _HEADING, _SCALE = 0.2, 0.35, 1.0


def plot_confusion(matrix: npt.ArrayLike, labels: Sequence[str]) -> "Figure":
    """Draw a confusion matrix: counts, over colours for the share of the row.

    Up to 12 classes each cell shows its count and its share of the row's total; with more, its
    count alone, and none for zero. The figure grows with the number of classes.

    Args:
        matrix: counts (k, k); row: the true class, column: the predicted one, as in
            ``sklearn.metrics.confusion_matrix``.
        labels: the k names.

    Raises:
        InvalidShapeError: not a square matrix with a row for each label.
        InvalidArgumentError: counts that are not whole numbers from 0 on.
        MissingExtraError: matplotlib is not installed.
    """
    counts = _checked(matrix, labels)
    classes = len(counts)
    totals = counts.sum(axis=1, keepdims=True)
    shares = counts / np.maximum(totals, 1)
    cell, letter, name_letter = next(
        size[1:] for size in _SIZES if classes <= size[0] or size is _SIZES[-1]
    )
    figure = new_figure(6, 6)  # for measuring; its size is set below
    lettering = lettering_for(map(str, labels))
    names = [lettering.drawn(str(label), _NAME_LIMIT) for label in labels]
    style = lettering.style(name_letter, color=INK)
    longest = float(measured(figure, names, style)[1][:, 0].max()) / 72 + 0.1
    side = cell * classes
    upright = longest > cell - 0.1
    above = longest if upright else name_letter / 72
    before = _MARGIN + _HEADING + longest
    width = before + side + _SCALE + _MARGIN
    height = 2 * _MARGIN + side + above + _HEADING + 0.1
    figure.set_size_inches(width, height)
    axes = figure.add_axes((before / width, _MARGIN / height, side / width, side / height))

    from matplotlib.colors import PowerNorm

    # The square root lets the few per cent show that a class loses to another.
    image = axes.imshow(shares, cmap="Blues", norm=PowerNorm(0.5, 0.0, 1.0))
    _write_counts(axes, counts, shares, cell, letter)
    ticks = np.arange(classes)
    axes.xaxis.tick_top()
    axes.set_xticks(ticks, names, rotation=90 if upright else 0, **style)
    axes.set_yticks(ticks, names, **style)
    axes.tick_params(length=0, pad=4)
    axes.set_xticks(ticks[1:] - 0.5, minor=True)
    axes.set_yticks(ticks[1:] - 0.5, minor=True)
    axes.grid(which="minor", color="white" if classes <= _WITH_SHARE else FAINT, linewidth=cell)
    axes.tick_params(which="minor", length=0)
    axes.spines[:].set_color(FAINT)
    heading: dict[str, Any] = {"fontsize": 10, "color": MUTED}
    figure.text(
        (before + side / 2) / width,
        1 - _MARGIN / height,
        "predicted",
        ha="center",
        va="top",
        **heading,
    )
    figure.text(
        _MARGIN / width,
        (_MARGIN + side / 2) / height,
        "true",
        ha="left",
        va="center",
        rotation=90,
        **heading,
    )
    tall = min(side, 4.0)
    place = (
        (before + side + 0.25) / width,
        (_MARGIN + side - tall) / height,
        0.15 / width,
        tall / height,
    )
    bar = figure.colorbar(image, cax=figure.add_axes(place), ticks=[0, 0.05, 0.25, 0.5, 1])
    bar.ax.set_yticklabels(["0%", "5%", "25%", "50%", "100%"])
    bar.ax.tick_params(labelsize=8, labelcolor=INK, color=FAINT)
    bar.outline.set_visible(False)
    return figure


def _checked(matrix: npt.ArrayLike, labels: Sequence[str]) -> npt.NDArray[np.int64]:
    counts = np.asarray(matrix)
    if counts.shape != (len(labels), len(labels)) or not len(labels):
        raise InvalidShapeError(
            f"`matrix` must have a row and a column for each of the {len(labels)} labels, and "
            f"there must be at least one. Received shape {counts.shape}."
        )
    whole = counts.dtype.kind in "iub" or (
        counts.dtype.kind == "f"
        and bool((np.isfinite(counts) & (counts == np.floor(counts))).all())
    )
    if not whole or (counts < 0).any():
        raise InvalidArgumentError(
            "`matrix` must hold counts, whole numbers from 0 on; the shares are worked out here. "
            f"Received {counts.dtype} numbers that begin {counts.ravel()[:4].tolist()}."
        )
    return counts.astype(np.int64)


def _write_counts(
    axes: "Axes",
    counts: npt.NDArray[np.int64],
    shares: npt.NDArray[np.float64],
    cell: float,
    letter: float,
) -> None:
    few = len(counts) <= _WITH_SHARE
    # A digit is about 0.62 of the letter's size wide.
    letter = min(letter, 0.9 * 72 * cell / (0.62 * len(f"{counts.max():,}")))
    for (row, column), count in np.ndenumerate(counts):
        if not count and not few:
            continue
        share = float(shares[row, column])
        colour = "white" if share > 0.45 else INK
        place: dict[str, Any] = {
            "ha": "center",
            "va": "center",
            "color": colour if count else MUTED,
        }
        if few and count:
            axes.text(column, row - 0.1, f"{count:,}", fontsize=letter, **place)
            axes.text(column, row + 0.2, _percent(share), fontsize=letter * 0.72, **place)
        else:
            axes.text(column, row, f"{count:,}", fontsize=letter, **place)


def _percent(share: float) -> str:
    """Rounded, but 0% and 100% mean none and all."""
    if 0 < share < 0.005:
        return "<1%"
    return ">99%" if 0.995 <= share < 1 else f"{share:.0%}"
