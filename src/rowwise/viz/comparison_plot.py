"""A picture of what training did to a table."""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from rowwise.viz.comparison import Comparison
from rowwise.viz.figures import COLOURS, FAINT, INK, MUTED, new_figure
from rowwise.viz.labels import label_points
from rowwise.viz.lettering import lettering_for

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_DOT = 3.0  # points
_LETTER = 8.5  # points


def plot_comparison(comparison: Comparison, *, labels: int = 12) -> "Figure":
    """Draw how far words went, and the norms of their rows before and after, by their rank.

    The rank of a word is its place in the later table. Vocabularies begin with the most frequent
    words, so that is the rank of its frequency there. Words that are not finite are not drawn.

    Args:
        comparison: of two tables.
        labels: how many of the words that went farthest get their names, where there is room.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    finite = np.isfinite(comparison.distances)
    ranks = np.flatnonzero(finite) + 1.0
    named = comparison.most_moved(labels, 1) if labels else []
    lettering = lettering_for([one.word for one in named])
    figure = new_figure(10.5, 4.3)
    figure.set_layout_engine("constrained", w_pad=0.12, h_pad=0.12)
    moves, norms = figure.subplots(1, 2)
    distances = comparison.distances[finite]
    _dots(moves, ranks, distances, COLOURS[0])
    _finish(moves, "distance from the row before", len(comparison.words))
    for values, label, colour in (
        (comparison.norms_before, "before", MUTED),
        (comparison.norms_after, "after", COLOURS[1]),
    ):
        _dots(norms, ranks, values[finite], colour, label)
    _finish(norms, "length of the row", len(comparison.words))
    legend = norms.legend(frameon=False, fontsize=9, labelcolor=INK, markerscale=2.5)
    for handle in legend.legend_handles:
        if handle is not None:
            handle.set_alpha(1)
    if named:
        figure.draw_without_rendering()  # the places of labels depend on the layout
        figure.set_layout_engine("none")
        places = {word: place for place, word in enumerate(comparison.words)}
        points = np.array([(places[one.word] + 1.0, one.distance) for one in named])
        label_points(moves, points, [one.word for one in named], lettering, _LETTER, _DOT)
    return figure


def _dots(
    axes: "Axes",
    ranks: npt.NDArray[np.floating],
    values: npt.NDArray[np.float64],
    colour: str,
    label: str | None = None,
) -> None:
    dense = 0.8 if len(ranks) < 3000 else 0.25
    # As a picture within the picture: files of vectors would hold each dot.
    axes.scatter(
        ranks, values, s=_DOT**2, c=colour, alpha=dense, linewidths=0, label=label, rasterized=True
    )


def _finish(axes: "Axes", title: str, count: int) -> None:
    axes.set_title(title, loc="left", fontsize=12, color=INK)
    axes.set_xlabel("rank of the word", fontsize=9, color=MUTED)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(lambda rank, _: f"{rank:,.0f}")
    axes.set_xlim(0.8, 1.25 * count)
    axes.set_ylim(bottom=0)
    axes.tick_params(which="both", labelsize=9, labelcolor=INK, color=FAINT)
    axes.grid(axis="y", color=FAINT, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(FAINT)
