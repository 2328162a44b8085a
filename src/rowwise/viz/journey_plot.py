"""How words travel: a picture, an animated picture and an animated page."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from rowwise.errors import InvalidArgumentError
from rowwise.files import atomic_path
from rowwise.text.wording import counted
from rowwise.viz.figures import COLOURS, FAINT, INK, MUTED, new_figure
from rowwise.viz.journey import Journey
from rowwise.viz.labels import label_points
from rowwise.viz.lettering import Lettering, lettering_for
from rowwise.viz.page.document import check_page, journey_document
from rowwise.viz.page.packing import packed
from rowwise.viz.palette import Categories, colouring_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Points = npt.NDArray[np.float64]
Colour = Sequence[str] | None

_SIDE, _TOP = 7.0, 0.5  # inches
_FLATTEST, _TALLEST = 0.5, 1.2  # height over width
_LETTER, _DOT = 9.0, 6.0  # points
# Of a GIF: pictures from a moment to the next, pictures in all, and milliseconds of each.
_BETWEEN, _MOST_PICTURES, _PICTURE_MS, _MOMENT_MS = 8, 240, 60, 500
_GIF_DPI = 90


def plot_journey(journey: Journey, *, color: Colour = None, title: str | None = None) -> "Figure":
    """Draw the way of each word from the first moment to the last, and its name at its end.

    Args:
        journey: of the words.
        color: one category for each word, drawn as colours; the six largest have their own.
        title: drawn above.

    Raises:
        InvalidArgumentError: another number of colours than words.
        MissingExtraError: matplotlib is not installed.
    """
    stage = _Stage(journey, color, title)
    stage.draw(len(journey.moments) - 1.0)
    stage.name_apart()
    return stage.figure


def save_journey(
    journey: Journey,
    path: str | os.PathLike[str],
    *,
    color: Colour = None,
    title: str | None = None,
) -> None:
    """Save how words travel as an animation: a ``.gif``, or an ``.html`` page without network.

    The same journey gives the same bytes.

    Args:
        journey: of the words.
        path: of the file. On a page the animation can be stopped and moved by hand.
        color: one category for each word; the six largest have their own colours.
        title: of the animation.

    Raises:
        InvalidArgumentError: another suffix, or another number of colours than words.
        MissingExtraError: matplotlib, or for a page plotly, is not installed.
    """
    suffix = Path(path).suffix.lower()
    if suffix == ".gif":
        pictures = _pictures(_Stage(journey, color, title), len(journey.moments))
        with atomic_path(path) as temporary:
            _save_gif(temporary, *pictures)
    elif suffix in (".html", ".htm"):
        check_page(path)
        text = _page(journey, color, title)
        with atomic_path(path) as temporary:
            Path(temporary).write_bytes(text)
    else:
        raise InvalidArgumentError(
            f"An animation is saved as .gif or .html. Received: {os.fspath(path)!r}."
        )


class _Stage:
    """A figure on which any moment can be drawn, moments between the recorded ones, too."""

    def __init__(self, journey: Journey, color: Colour, title: str | None) -> None:
        self._journey, self._title = journey, title
        self._points: Points = journey.points.astype(np.float64)
        self._now = self._points[0]
        self._categories = _categories(journey, color)
        self._colours = _colours(journey, self._categories)
        names = [] if self._categories is None else list(self._categories.names)
        self._lettering: Lettering = lettering_for(
            [*journey.words, *names, title or "", *journey.moments]
        )
        # As high as the words need: distances are the same across and up.
        flat = self._points.reshape(-1, 2)
        self._middle = (flat.min(axis=0) + flat.max(axis=0)) / 2
        across, up = np.ptp(flat, axis=0) * 1.16
        across = max(across, up / _TALLEST) or 1.0
        shape = min(max(up / across, _FLATTEST), _TALLEST)
        self._half = np.array([across, across * shape]) / 2
        height = _SIDE * shape + _TOP
        self.figure = new_figure(_SIDE, height)
        self._axes: Axes = self.figure.add_axes((0.02, 0.02, 0.96, 0.98 - _TOP / height))
        self._written = self.figure.text(
            0.02, 1 - _TOP / 2 / height, "", **self._lettering.style(12, color=INK, va="center")
        )

    def draw(self, time: float) -> None:
        """Draw the words at ``time``: 0 at the first moment, 1 at the second."""
        axes, journey = self._axes, self._journey
        axes.clear()
        self._frame()
        before, part = int(time), time - int(time)
        after = min(before + 1, len(journey.moments) - 1)
        now = self._points[before] * (1 - part) + self._points[after] * part
        for word, colour in enumerate(self._colours):
            way = np.concatenate([self._points[: before + 1, word], now[word : word + 1]])
            axes.plot(way[:, 0], way[:, 1], color=colour, alpha=0.35, linewidth=1.2)
        axes.scatter(now[:, 0], now[:, 1], s=_DOT**2, c=self._colours, linewidths=0, zorder=3)
        self._now = now
        self._key()
        moment = journey.moments[round(time)]
        text = moment if self._title is None else f"{self._title}   ·   {moment}"
        self._written.set_text(self._lettering.drawn(text, 90))

    def name_above(self) -> None:
        """Write each name above its dot, where it stays from picture to picture."""
        style = self._lettering.style(_LETTER, color=INK, ha="center", va="bottom", zorder=4)
        for word, place in zip(self._journey.words, self._now, strict=True):
            shown = self._lettering.drawn(word)
            self._axes.annotate(
                shown, place, (0, _DOT / 2 + 1), textcoords="offset points", **style
            )

    def name_apart(self) -> None:
        """Write names so that they do not overlap, those that there is room for."""
        words = list(self._journey.words)
        label_points(self._axes, self._now, words, self._lettering, _LETTER, _DOT)

    def _frame(self) -> None:
        low, high = self._middle - self._half, self._middle + self._half
        self._axes.set_xlim(low[0], high[0])
        self._axes.set_ylim(low[1], high[1])
        self._axes.set_xticks([])
        self._axes.set_yticks([])
        for spine in self._axes.spines.values():
            spine.set(color=FAINT, linewidth=0.8)

    def _key(self) -> None:
        if self._categories is None:
            return
        from matplotlib.lines import Line2D

        shown = dict(zip(self._categories.values, self._colours, strict=True))
        names = [name for name in self._categories.names if shown[name] != MUTED]
        dots = [
            Line2D([], [], color=shown[name], marker="o", linestyle="", markersize=_DOT)
            for name in names
        ]
        style = {"family": list(self._lettering.families), "size": 8}
        legend = self._axes.legend(
            dots, ["-"] * len(dots), loc="upper left", frameon=False, prop=style, labelcolor=INK
        )
        # Set afterwards, so that matplotlib reads neither "_" nor "$" as a mark.
        for text, name in zip(legend.get_texts(), names, strict=True):
            text.set(parse_math=False, usetex=False, text=self._lettering.drawn(name, 24))


def _categories(journey: Journey, color: Colour) -> Categories | None:
    if color is None:
        return None
    found = colouring_of(list(color), list(journey.words))
    if not isinstance(found, Categories):
        raise InvalidArgumentError("`color` must be a category for each word, not a number.")
    return found


def _colours(journey: Journey, categories: Categories | None) -> list[str]:
    if categories is None:
        return [COLOURS[word % len(COLOURS)] for word in range(len(journey.words))]
    own = dict(zip(categories.names, COLOURS, strict=False))
    return [own.get(value, MUTED) for value in categories.values]


def _pictures(stage: _Stage, moments: int) -> tuple[list[Any], list[int]]:
    """Pictures from the first moment to the last, and milliseconds for each."""
    from PIL import Image

    between = max(1, min(_BETWEEN, _MOST_PICTURES // max(1, moments)))
    # Of very many moments some are passed over, evenly.
    count = min((moments - 1) * between + 1, _MOST_PICTURES)
    times = [float(time) for time in np.linspace(0, moments - 1, count)]
    waits = [_MOMENT_MS if time == int(time) and between > 1 else _PICTURE_MS for time in times]
    waits[-1] = 4 * _MOMENT_MS
    stage.figure.set_dpi(_GIF_DPI)
    pictures = []
    for time in times:
        stage.draw(time)
        stage.name_above()
        canvas: Any = stage.figure.canvas
        canvas.draw()
        image = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
        # One palette for all would dull colours that few pictures have.
        pictures.append(image.quantize(64, dither=Image.Dither.NONE))
    return pictures, waits


def _save_gif(path: Any, pictures: list[Any], waits: list[int]) -> None:
    first, *others = pictures
    first.save(path, format="GIF", save_all=True, append_images=others, duration=waits, loop=0)


def _page(journey: Journey, color: Colour, title: str | None) -> bytes:
    categories = _categories(journey, color)
    shown = title or f"{counted(len(journey.words), 'word')} on the way"
    header = {
        "title": shown,
        "words": list(journey.words),
        "moments": list(journey.moments),
        "columns": int(journey.rows.shape[2]),
        "colours": _colours(journey, categories),
        "categories": None if categories is None else list(categories.values),
    }
    return journey_document(shown, packed(header, {"points": journey.points}))
