"""A progress bar for ``fit`` with the time that is left."""

from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskProgressColumn, TextColumn
from rich.table import Column
from rich.text import Text

from rowwise.backend import keras

# A narrower terminal has no room for the losses: rich would cut every column short.
FULL_WIDTH = 72


class ProgressBar(keras.callbacks.Callback):
    """Shows all steps of all epochs as one bar on standard error, with the losses so far.

    Use it in a ``with`` block, which takes the bar down whatever happens; Keras tells a callback
    nothing of an error or of Ctrl-C, and a running bar hides the terminal's cursor.

    Args:
        console: where to draw; by default standard error.
    """

    def __init__(self, console: Console | None = None) -> None:
        super().__init__()
        console = console or Console(stderr=True)
        columns = [
            TextColumn("epoch {task.fields[epoch]}"),
            BarColumn(bar_width=None, table_column=Column(ratio=1, min_width=4)),
            TaskProgressColumn("{task.percentage:>3.0f} %", table_column=Column(no_wrap=True)),
            _TimeColumn(table_column=Column(no_wrap=True)),
        ]
        if console.width >= FULL_WIDTH:
            columns.append(TextColumn("{task.fields[figures]}"))
        self._bar = Progress(*columns, console=console, expand=True)
        self._task = self._bar.add_task("", total=None, epoch="", figures="")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop()

    def on_train_begin(self, logs: Any = None) -> None:
        """Show the bar."""
        steps = self.params["epochs"] * (self.params["steps"] or 0)
        self._bar.update(self._task, total=steps or None)
        self._bar.start()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Show the epoch's number."""
        self._bar.update(self._task, epoch=f"{epoch + 1}/{self.params['epochs']}")

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """One step more."""
        self._bar.advance(self._task)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Show the epoch's figures."""
        names = {"loss": "loss", "val_accuracy": "val. accuracy"}
        figures = [f"{names[key]} {float(logs[key]):.3f}" for key in names if key in (logs or {})]
        self._bar.update(self._task, figures=", ".join(figures))

    def on_train_end(self, logs: Any = None) -> None:
        """Leave the full bar; fewer steps than planned were enough when training stopped early."""
        self._bar.update(self._task, total=self._bar.tasks[0].completed)
        self._stop()

    def _stop(self) -> None:
        if self._bar.live.is_started:
            self._bar.stop()


class _TimeColumn(ProgressColumn):
    """The time that is left, and at the end the time that it took."""

    max_refresh = 0.5

    def render(self, task: Task) -> Text:
        if task.finished:
            return Text(f"took {_clock(task.finished_time or 0)}")
        if task.time_remaining is None:
            return Text("-:--:-- left")
        return Text(f"{_clock(task.time_remaining)} left")


def _clock(seconds: float) -> str:
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}"
