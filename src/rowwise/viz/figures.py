"""What all pictures share: how a figure begins, its colours, and how it is saved."""

import os
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from rowwise.errors import InvalidArgumentError, MissingExtraError
from rowwise.files import atomic_path

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK = "#222222"
MUTED = "#6e6e6e"
FAINT = "#d9d9d9"
# Okabe and Ito's colours, told apart with every kind of colour vision; their yellow, too faint on
# white, and black are left out. https://jfly.uni-koeln.de/color/
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")

_SUFFIXES = (".png", ".svg", ".pdf")


def new_figure(width: float, height: float) -> "Figure":
    """An empty white figure, ``width`` times ``height`` inches, outside pyplot.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("Drawing plots", "matplotlib", "plot") from error
    figure = Figure(figsize=(width, height), dpi=150, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def save_figure(figure: "Figure", path: str | os.PathLike[str]) -> None:
    """Save as PNG, SVG or PDF, as the suffix of ``path`` says.

    A file that is there already is replaced only when the new one is whole. The same figure gives
    the same bytes: no dates are written.

    Raises:
        InvalidArgumentError: another suffix.
        FileNotFoundError: the folder does not exist.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in _SUFFIXES:
        raise InvalidArgumentError(
            f"A figure is saved as {', '.join(_SUFFIXES)}. Received: {os.fspath(path)!r}."
        )
    with atomic_path(path) as temporary:
        Path(temporary).write_bytes(figure_bytes(figure, suffix[1:]))


def figure_bytes(figure: "Figure", kind: str) -> bytes:
    """A figure as a file of a kind, ``"png"``, ``"svg"`` or ``"pdf"``, without a date."""
    import matplotlib

    undated = {"png": {}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}[kind]
    written = BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "rowwise"}):
        figure.savefig(written, format=kind, dpi=figure.dpi, metadata=undated)
    return written.getvalue()
