"""A map of words: near on the plane when their rows are near."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from rowwise.errors import InvalidArgumentError
from rowwise.text.wording import counted
from rowwise.vectors import Vectors
from rowwise.viz.figures import FAINT, INK, MUTED, new_figure
from rowwise.viz.labels import label_points
from rowwise.viz.lettering import Lettering, lettering_for, measured
from rowwise.viz.palette import LEGEND_LETTER, Categories, Numbers, colouring_of, draw_plain
from rowwise.viz.projection import METHOD_NAMES, AnyMethod, check_seed, method_for, project
from rowwise.viz.words import chosen_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_DEFAULT_WORDS = 200
# Up to so many words: inches per side, points of a letter, points of a dot's diameter.
_SIZES = ((30, 6.5, 11.0, 6.0), (100, 8.5, 9.5, 5.0), (300, 11.0, 8.5, 4.5), (0, 14.0, 7.5, 3.0))
# Inches around the map: for the title above, the footer below, and at the sides.
_TOP, _BOTTOM, _SIDE = 0.55, 0.5, 0.25


def plot_map(
    vectors: Vectors,
    words: Sequence[str] | None = None,
    *,
    method: AnyMethod = "auto",
    color: Sequence[str] | Sequence[float] | npt.NDArray[np.generic] | None = None,
    title: str | None = None,
    seed: int = 0,
) -> "Figure":
    """Draw words as dots with labels that do not overlap.

    A label that finds no room is left out, its dot stays, and the footer says how many there are.
    So it does of words that are left out since their rows hold NaN or infinity. Earlier words
    choose their place first. Words are drawn letter by letter, ``$`` and all, with
    whatever installed fonts have their characters.

    Args:
        vectors: words and rows.
        words: those to draw, each once; by default the first 200.
        method: ``"tsne"``, ``"pca"``, ``"umap"`` or ``"auto"``, as in :func:`project`.
        color: one number for each word (drawn as a scale), or one category (drawn as colours and
            shapes; the six largest have their own).
        title: drawn above the map.
        seed: as in :func:`project`; the same seed draws the same map.

    Raises:
        UnknownWordError: a word that ``vectors`` does not hold.
        InvalidArgumentError: no words, a word twice, another number of colours than words, no
            row of finite numbers, or a title or a seed of another kind.
        MissingExtraError: matplotlib is not installed.
    """
    check_seed(seed)
    if title is not None and not isinstance(title, str):
        raise InvalidArgumentError(f"`title` must be a string. Received: {title!r}.")
    asked = chosen_words(vectors, words, _DEFAULT_WORDS)
    every = np.stack([vectors[word] for word in asked])
    sound = np.isfinite(every).all(axis=1)
    if not sound.any():
        raise InvalidArgumentError("All rows hold NaN or infinity: there is nothing to draw.")
    chosen = [word for word, is_sound in zip(asked, sound, strict=True) if is_sound]
    rows, unfit = every[sound], len(asked) - len(chosen)
    method = method_for(method, len(chosen))
    colouring = None if color is None else _colouring(color, asked, sound)
    side, letter, dot = next(
        size[1:] for size in _SIZES if len(chosen) <= size[0] or size is _SIZES[-1]
    )
    names = colouring.names if isinstance(colouring, Categories) else ()
    figure = new_figure(side, side)  # for measuring; its size is set next
    lettering = lettering_for([*chosen, *names, title or ""])
    width = side + 2 * _SIDE + _key_width(figure, colouring, lettering)
    top = _TOP if title else _SIDE
    height = side + top + _BOTTOM
    figure.set_size_inches(width, height)
    axes = figure.add_axes((_SIDE / width, _BOTTOM / height, side / width, side / height))

    points = project(rows, method, seed).astype(np.float64)
    _frame(axes, points)
    if isinstance(colouring, Categories):
        colouring.draw(axes, points, dot, lettering)
    elif isinstance(colouring, Numbers):
        place = ((2 * _SIDE + side) / width, (_BOTTOM + side / 4) / height)
        colouring.draw(axes, points, dot, (*place, 0.2 / width, side / 2 / height))
    else:
        draw_plain(axes, points, dot)
    left_out = label_points(axes, points, chosen, lettering, letter, dot)

    if title:
        style = lettering.style(13, color=INK, ha="left", va="center")
        shown = _fitted(figure, title, lettering, style, 72 * (width - 2 * _SIDE))
        figure.text(_SIDE / width, 1 - top / 2 / height, shown, **style)
    undrawn = sum(not lettering.missing.isdisjoint(word) for word in chosen)
    size = f"{counted(len(chosen), 'word')} × {counted(rows.shape[1], 'column')}"
    notes = f"{METHOD_NAMES[method]} of {size}"
    if left_out:
        notes += f"   ·   {counted(left_out, 'label')} left out for want of room"
    if unfit:
        notes += f"   ·   {counted(unfit, 'word')} left out, for rows with NaN or infinity"
    if undrawn:
        notes += f"\n▯: {counted(undrawn, 'word')} with characters that no installed font has"
    style = lettering.style(8, color=MUTED, ha="left", va="center", linespacing=1.5)
    figure.text(_SIDE / width, _BOTTOM / 2 / height, notes, **style)
    return figure


def _colouring(
    color: Sequence[str] | Sequence[float] | npt.NDArray[np.generic],
    words: list[str],
    sound: npt.NDArray[np.bool_],
) -> Numbers | Categories:
    """The colours of those of ``words`` that are drawn."""
    values: list[Any] = list(color)
    if sound.all() or isinstance(color, str) or len(values) != len(words):
        return colouring_of(color, words)
    kept = np.flatnonzero(sound)
    return colouring_of([values[place] for place in kept], [words[place] for place in kept])


def _fitted(
    figure: "Figure", text: str, lettering: Lettering, style: dict[str, Any], room: float
) -> str:
    """``text``, cut where it is wider than ``room`` points."""
    limit = len(shown := lettering.drawn(text, 200))
    while limit > 1 and (wide := measured(figure, [shown], style)[1][0, 0]) > room:
        limit = min(limit - 1, int(limit * room / wide))
        shown = lettering.drawn(text, max(limit, 1))
    return shown


def _key_width(
    figure: "Figure", colouring: Numbers | Categories | None, lettering: Lettering
) -> float:
    """Inches for the legend or the scale at the right."""
    if isinstance(colouring, Categories):
        style = lettering.style(LEGEND_LETTER)
        _, sizes = measured(figure, colouring.keys(lettering), style)
        return float(sizes[:, 0].max()) / 72 + 0.6
    return 0.0 if colouring is None else 0.9


def _frame(axes: "Axes", points: npt.NDArray[np.float64]) -> None:
    """A square around the points, the same scale both ways, without ticks: axes have no unit."""
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    half = np.ptp(points, axis=0).max() / 2 * 1.1 or 1.0
    axes.set_xlim(middle[0] - half, middle[0] + half)
    axes.set_ylim(middle[1] - half, middle[1] + half)
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set(color=FAINT, linewidth=0.8)
