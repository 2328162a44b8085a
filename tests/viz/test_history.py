"""Curves of a run: what is drawn, which epoch is marked, what is refused."""

import numpy as np
import pytest

from rowwise.errors import InvalidArgumentError
from rowwise.viz import plot_history, save_figure

LOSS, VALIDATION = [0.9, 0.5, 0.3, 0.2], [0.8, 0.6, 0.55, 0.7]


def curves_of(axes) -> dict[str, list[float]]:
    return {
        line.get_label(): line.get_ydata().tolist()
        for line in axes.lines
        if not line.get_label().startswith("_")
    }


def marked(axes) -> list[float]:
    return [line.get_xdata()[0] for line in axes.lines if line.get_label().startswith("_")]


def test_loss_and_accuracy():
    history = {
        "accuracy": [0.5, 0.6, 0.7, 0.8],
        "loss": LOSS,
        "val_accuracy": [0.4, 0.5, 0.6, 0.5],
        "val_loss": VALIDATION,
        "learning_rate": [1, 1, 1, 1],
    }
    figure = plot_history(history)
    loss, accuracy = figure.axes
    assert curves_of(loss) == {"training": LOSS, "validation": VALIDATION}
    assert curves_of(accuracy) == {
        "training": history["accuracy"],
        "validation": history["val_accuracy"],
    }
    assert loss.get_title("left") == "loss"
    assert accuracy.get_title("left") == "accuracy"
    for axes in figure.axes:
        assert marked(axes) == [3]
        assert axes.get_title("right") == "lowest validation loss: epoch 3"
        assert [text.get_text() for text in axes.get_legend().get_texts()] == [
            "training",
            "validation",
        ]


def test_loss_alone():
    (axes,) = plot_history({"loss": np.array(LOSS)}).axes
    assert curves_of(axes) == {"training": LOSS}
    assert marked(axes) == [4]


def test_other_accuracies():
    figure = plot_history({"loss": LOSS, "sparse_categorical_accuracy": LOSS, "acc": LOSS})
    titles = [axes.get_title("left") for axes in figure.axes]
    assert titles == ["loss", "sparse categorical accuracy", "acc"]


def test_best_epoch_by_choice():
    (axes,) = plot_history({"loss": LOSS, "val_loss": VALIDATION}, best_epoch=2).axes
    assert marked(axes) == [2]


@pytest.mark.parametrize(
    ("loss", "best"), [([np.nan, 0.4, np.nan], [2]), ([np.nan, np.nan], []), ([np.inf, 1.0], [2])]
)
def test_runs_that_went_astray(tmp_path, loss, best):
    figure = plot_history({"loss": loss})
    assert marked(figure.axes[0]) == best
    save_figure(figure, tmp_path / "a.png")


@pytest.mark.parametrize("epochs", [1, 2, 20, 300])
def test_epochs_are_whole_numbers(tmp_path, epochs):
    figure = plot_history({"loss": np.linspace(1, 0, epochs), "val_loss": np.ones(epochs)})
    save_figure(figure, tmp_path / "a.png")
    axes = figure.axes[0]
    low, high = axes.get_xlim()
    ticks = [tick for tick in axes.get_xticks() if low <= tick <= high]
    assert ticks
    assert all(tick == int(tick) for tick in ticks)
    assert low <= 1 <= epochs <= high


@pytest.mark.parametrize(
    ("history", "message"),
    [
        ({}, "must hold 'loss' with a number for each epoch. Received: no curves"),
        ({"accuracy": [1.0]}, "Received: 'accuracy'"),
        ({"loss": []}, "must hold 'loss'"),
        ({"loss": [1.0, 2.0], "val_loss": [1.0]}, "equally long. Received: {'loss': 2, 'val_lo"),
    ],
)
def test_wrong_history(history, message):
    with pytest.raises(InvalidArgumentError) as caught:
        plot_history(history)
    assert message in str(caught.value)


@pytest.mark.parametrize("best", [0, 5])
def test_wrong_best_epoch(best):
    with pytest.raises(InvalidArgumentError, match=r"one of the epochs 1 to 4. Received: "):
        plot_history({"loss": LOSS}, best_epoch=best)
