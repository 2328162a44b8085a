"""Labels beside points, where there is room for them."""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from rowwise.viz.figures import INK, MUTED
from rowwise.viz.lettering import Lettering, measured
from rowwise.viz.placement import place_labels

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def label_points(
    axes: "Axes",
    points: npt.NDArray[np.float64],
    words: list[str],
    lettering: Lettering,
    letter: float,
    dot: float,
) -> int:
    """Draw the labels there is room for; how many there is none for.

    Args:
        axes: with its limits and scales set.
        points: float64 (n, 2), in the units of the data; earlier ones choose first.
        words: n labels.
        lettering: to draw them with.
        letter: points of a letter.
        dot: points of a dot's diameter.
    """
    from matplotlib.collections import LineCollection

    figure = axes.get_figure(root=True)
    assert figure is not None
    style = lettering.style(letter, color=INK, ha="center", va="center", zorder=3)
    texts, sizes = measured(figure, map(lettering.drawn, words), style)
    pixel = figure.dpi / 72  # in a point
    sizes *= pixel
    anchors = axes.transData.transform(points)
    left, bottom, right, top = axes.bbox.padded(-2 * pixel).extents
    corners, distant = place_labels(
        anchors, sizes + 2 * pixel, (left, bottom, right, top), (dot / 2 + 1.5) * pixel
    )
    corners += pixel  # the margin around the letters, counted in above
    lines = []
    for index in np.flatnonzero(~np.isnan(corners[:, 0])):
        text, corner = texts[index], corners[index]
        x, y = axes.transData.inverted().transform(corner + sizes[index] / 2)
        text.set_position((x, y))
        text.set_transform(axes.transData)
        axes.add_artist(text)
        if distant[index]:
            near = np.clip(anchors[index], corner, corner + sizes[index])
            lines.append(axes.transData.inverted().transform([anchors[index], near]))
    axes.add_collection(LineCollection(lines, colors=MUTED, linewidths=0.5, zorder=1.5))
    return int(np.isnan(corners[:, 0]).sum())
