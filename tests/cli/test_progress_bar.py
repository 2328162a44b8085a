"""The progress bar: nothing of it is cut short, and it always leaves the terminal as it was."""

import io

import pytest
from rich.console import Console

from rowwise.cli.progress import ProgressBar

HIDE_CURSOR, SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"
EPOCHS, STEPS = 10, 20


def console(width, terminal=False):
    return Console(file=io.StringIO(), width=width, force_terminal=terminal, color_system=None)


def train(bar, until=EPOCHS, metrics=True):
    bar.set_params({"epochs": EPOCHS, "steps": STEPS})
    bar.on_train_begin()
    for epoch in range(until):
        bar.on_epoch_begin(epoch)
        for step in range(STEPS):
            bar.on_train_batch_end(step)
        bar.on_epoch_end(epoch, {"loss": 0.12345, "val_accuracy": 0.5} if metrics else {})


@pytest.mark.parametrize("width", [40, 71, 72, 80, 200])
def test_the_line_fits(width):
    output = console(width)
    with ProgressBar(output) as bar:
        train(bar)
        bar.on_train_end()
    (line,) = output.file.getvalue().splitlines()
    assert len(line) <= width
    assert line.startswith("epoch 10/10 ━━━━")
    assert "100 % took 0:00:0" in line
    assert line.endswith("loss 0.123, val. accuracy 0.500") == (width >= 72)
    assert "…" not in line


def test_stopping_early_fills_the_bar():
    output = console(80)
    with ProgressBar(output) as bar:
        train(bar, until=3, metrics=False)
        bar.on_train_end()
    assert "epoch 3/10" in output.file.getvalue()
    assert "100 % took" in output.file.getvalue()


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_takes_the_bar_down(error):
    output = console(80, terminal=True)

    def fail():
        with ProgressBar(output) as bar:
            train(bar, until=3)
            raise error

    with pytest.raises(error):
        fail()
    printed = output.file.getvalue()
    assert printed.count(HIDE_CURSOR) == printed.count(SHOW_CURSOR) == 1
    assert printed.rindex(SHOW_CURSOR) > printed.rindex("epoch")
    assert "left" in printed


def test_nothing_is_drawn_without_training():
    output = console(80)
    with ProgressBar(output):
        pass
    assert output.file.getvalue() == ""
