"""Curves of a training run."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from rowwise.errors import InvalidArgumentError
from rowwise.viz.figures import COLOURS, FAINT, INK, MUTED, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_VALIDATION = "val_"


def plot_history(
    history: Mapping[str, Sequence[float]], *, best_epoch: int | None = None
) -> "Figure":
    """Draw loss and accuracy by epoch, training against validation.

    Args:
        history: as Keras's ``History.history``: for ``"loss"``, and for each metric whose name
            ends in ``accuracy`` (or is ``acc``), a number per epoch; under the same name after
            ``val_`` that of the validation. Other metrics are not drawn.
        best_epoch: the epoch to mark, counted from 1; by default that of the lowest validation
            loss, or without validation of the lowest loss.

    Raises:
        InvalidArgumentError: there is no loss, curves differ in length, or ``best_epoch`` is not
            an epoch.
        MissingExtraError: matplotlib is not installed.
    """
    curves = {name: np.asarray(values, dtype=np.float64) for name, values in history.items()}
    metrics = [name for name in curves if name.endswith("accuracy") or name == "acc"]
    metrics = ["loss", *(name for name in metrics if not name.startswith(_VALIDATION))]
    drawn = {name: curves[name] for name in _with_validation(metrics) if name in curves}
    epochs = _epochs(drawn)
    best = _lowest(drawn) if best_epoch is None else best_epoch
    if best is not None and not 1 <= best <= epochs:
        raise InvalidArgumentError(
            f"`best_epoch` must be one of the epochs 1 to {epochs}. Received: {best_epoch!r}."
        )
    lowest = f"lowest {'validation ' * (_VALIDATION + 'loss' in drawn)}loss"
    mark = f"{lowest if best_epoch is None else 'best'}: epoch {best}"
    figure = new_figure(1.0 + 4.6 * len(metrics), 3.9)
    figure.set_layout_engine("constrained", w_pad=0.12, h_pad=0.12)
    for index, metric in enumerate(metrics):
        axes = figure.add_subplot(1, len(metrics), index + 1)
        _draw(axes, metric, drawn, best, mark)
    return figure


def _with_validation(metrics: Sequence[str]) -> list[str]:
    return [prefix + metric for metric in metrics for prefix in ("", _VALIDATION)]


def _epochs(drawn: Mapping[str, npt.NDArray[np.float64]]) -> int:
    if "loss" not in drawn or not len(drawn["loss"]):
        raise InvalidArgumentError(
            "`history` must hold 'loss' with a number for each epoch. "
            f"Received: {', '.join(map(repr, drawn)) or 'no curves'}."
        )
    lengths = {name: len(values) for name, values in drawn.items()}
    if len(set(lengths.values())) > 1:
        raise InvalidArgumentError(
            f"The curves of `history` must be equally long. Received: {lengths}."
        )
    return lengths["loss"]


def _lowest(drawn: Mapping[str, npt.NDArray[np.float64]]) -> int | None:
    loss = drawn.get(_VALIDATION + "loss", drawn["loss"])
    # A run that went astray at once has no best epoch.
    return None if np.isnan(loss).all() else int(np.nanargmin(loss)) + 1


def _draw(
    axes: "Axes",
    metric: str,
    drawn: Mapping[str, npt.NDArray[np.float64]],
    best: int | None,
    mark: str,
) -> None:
    from matplotlib.ticker import MaxNLocator

    epochs = np.arange(1, len(drawn["loss"]) + 1)
    marker = "o" if len(epochs) <= 30 else None
    if best is not None:
        axes.axvline(best, color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
    ways = (("", "training", COLOURS[0], "-"), (_VALIDATION, "validation", COLOURS[1], "--"))
    for prefix, label, colour, line in ways:
        values = drawn.get(prefix + metric)
        if values is None:
            continue
        axes.plot(
            epochs,
            values,
            label=label,
            color=colour,
            linestyle=line,
            marker=marker,
            markersize=4,
            linewidth=1.8,
        )
    title = metric.replace("_", " ")
    axes.set_title(title, loc="left", fontsize=12, color=INK, parse_math=False)
    if best is not None:
        axes.set_title(mark, loc="right", fontsize=9, color=MUTED)
    axes.set_xlabel("epoch", fontsize=9, color=MUTED)
    axes.set_xlim(0.5, len(epochs) + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=10, integer=True, min_n_ticks=1))
    axes.tick_params(labelsize=9, labelcolor=INK, color=FAINT)
    axes.grid(axis="y", color=FAINT, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(FAINT)
    axes.legend(frameon=False, fontsize=9, labelcolor=INK, handlelength=3.0)
