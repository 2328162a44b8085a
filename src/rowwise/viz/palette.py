"""What the dots of a map look like: plain, by a number, or by a category."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from rowwise.errors import InvalidArgumentError
from rowwise.text.wording import counted
from rowwise.viz.figures import COLOURS, FAINT, INK, MUTED
from rowwise.viz.lettering import Lettering

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Points = npt.NDArray[np.float64]
# Shapes go with the colours, so that categories differ in print too.
_SHAPES = ("o", "s", "^", "D", "v", "P")
_OTHERS = "#b0b0b0"
LEGEND_LETTER = 9.0


def draw_plain(axes: "Axes", points: Points, dot: float) -> None:
    """All dots alike; ``dot`` is their diameter in points."""
    axes.scatter(points[:, 0], points[:, 1], s=dot**2, color=COLOURS[0], alpha=0.85, linewidth=0)


@dataclass(frozen=True)
class Numbers:
    """A number for each word, drawn as a scale from dark to light."""

    values: npt.NDArray[np.float64]

    def draw(
        self, axes: "Axes", points: Points, dot: float, key: tuple[float, float, float, float]
    ) -> None:
        """Draw the dots, and the scale in the rectangle ``key`` of the figure."""
        figure = axes.get_figure(root=True)
        assert figure is not None
        dots = axes.scatter(
            points[:, 0],
            points[:, 1],
            s=dot**2,
            c=self.values,
            cmap="cividis",
            edgecolors=MUTED,
            linewidths=0.3,
        )
        bar = figure.colorbar(dots, cax=figure.add_axes(key))
        bar.outline.set_visible(False)
        bar.ax.tick_params(labelsize=8, labelcolor=INK, color=FAINT)


@dataclass(frozen=True)
class Categories:
    """A category for each word, drawn as colours and shapes with a legend."""

    values: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The categories, the largest first."""
        return tuple(name for name, _ in Counter(self.values).most_common())

    def keys(self, lettering: Lettering) -> list[str]:
        """The legend's entries: the largest categories, then how many others there are."""
        keys = [lettering.drawn(name, 24) for name in self.names[: len(COLOURS)]]
        others = len(self.names) - len(keys)
        return [*keys, counted(others, "other")] if others else keys

    def draw(self, axes: "Axes", points: Points, dot: float, lettering: Lettering) -> None:
        """Draw the dots and, to the right of the map, the legend."""
        own = self.names[: len(COLOURS)]
        # A category's number is its place among the largest; all others share the last number.
        numbers = {name: number for number, name in enumerate(own)}
        group = np.array([numbers.get(value, len(own)) for value in self.values])
        looks = [*zip(COLOURS[: len(own)], _SHAPES, strict=False), (_OTHERS, "o")]
        keys = self.keys(lettering)
        handles = [
            axes.scatter(
                points[group == number, 0],
                points[group == number, 1],
                s=dot**2,
                color=colour,
                marker=shape,
                linewidth=0,
            )
            for number, (colour, shape) in enumerate(looks[: len(keys)])
        ]
        legend = axes.legend(
            handles,
            ["-"] * len(handles),
            markerscale=6.0 / dot,
            loc="upper left",
            bbox_to_anchor=(1.02, 1.0),
            borderaxespad=0.0,
            frameon=False,
            prop={"family": list(lettering.families), "size": LEGEND_LETTER},
            labelcolor=INK,
        )
        # Set afterwards, so that matplotlib reads neither "_" nor "$" as a mark.
        for text, key in zip(legend.get_texts(), keys, strict=True):
            text.set(parse_math=False, usetex=False, text=key)


def colouring_of(
    color: Sequence[str] | Sequence[float] | npt.NDArray[np.generic], words: Sequence[str]
) -> Numbers | Categories:
    """Read ``color``: numbers if all are (but booleans are categories), else categories.

    Raises:
        InvalidArgumentError: not one for each word, or a number that is not finite.
    """
    values = color.tolist() if isinstance(color, np.ndarray) else list(color)
    if isinstance(color, str) or len(values) != len(words):
        raise InvalidArgumentError(
            f"`color` must have one number or category for each of the "
            f"{counted(len(words), 'word')}. "
            f"Received {repr(color) if isinstance(color, str) else len(values)}."
        )
    numeric = (int, float, np.integer, np.floating)
    if not all(isinstance(value, numeric) and not isinstance(value, bool) for value in values):
        return Categories(tuple(map(str, values)))
    numbers = np.array(values, dtype=np.float64)
    for word, number in zip(words, numbers, strict=True):
        if not np.isfinite(number):
            raise InvalidArgumentError(
                f"The numbers of `color` must be finite. That of {word!r} is {number}."
            )
    return Numbers(numbers)
