"""Confusion matrices: the numbers shown, the room they have, what is refused."""

import itertools

import numpy as np
import pytest

from rowwise.errors import InvalidArgumentError, InvalidShapeError
from rowwise.viz import plot_confusion, save_figure


def cells_of(figure) -> dict[tuple[int, int], list[str]]:
    cells: dict[tuple[int, int], list[str]] = {}
    for text in figure.axes[0].texts:
        column, row = text.get_position()
        cells.setdefault((round(row), round(column)), []).append(text.get_text())
    return cells


def test_counts_and_shares():
    figure = plot_confusion([[1449, 51], [0, 2]], ["no", "yes"])
    assert cells_of(figure) == {
        (0, 0): ["1,449", "97%"],
        (0, 1): ["51", "3%"],
        (1, 0): ["0"],
        (1, 1): ["2", "100%"],
    }
    axes = figure.axes[0]
    np.testing.assert_allclose(axes.images[0].get_array(), [[1449 / 1500, 51 / 1500], [0, 1]])
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["no", "yes"]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["no", "yes"]
    assert [text.get_text() for text in figure.texts] == ["predicted", "true"]


def test_rounding_never_says_none_or_all():
    assert cells_of(plot_confusion([[999, 1], [1, 9]], ["a", "b"]))[0, 0] == ["999", ">99%"]
    assert cells_of(plot_confusion([[999, 1], [1, 9]], ["a", "b"]))[0, 1] == ["1", "<1%"]


def test_a_class_without_examples():
    figure = plot_confusion([[0, 0], [1, 3]], ["a", "b"])
    assert cells_of(figure)[0, 0] == ["0"]
    assert figure.axes[0].images[0].get_array()[0].tolist() == [0, 0]


@pytest.mark.parametrize("classes", [1, 2, 5, 12, 13, 40, 77])
def test_everything_has_room(tmp_path, classes):
    names = [f"a rather long name of class {i}" for i in range(classes)]
    matrix = np.full((classes, classes), 1234) if classes < 30 else np.eye(classes) * 1234
    figure = plot_confusion(matrix, names)
    if classes in (1, 77):
        save_figure(figure, tmp_path / "a.png")  # warnings are errors in these tests
    figure.canvas.draw()
    axes = figure.axes[0]
    side = axes.bbox.width / classes
    for text in axes.texts:
        assert text.get_window_extent().width <= side
    for ticks in (axes.get_xticklabels(), axes.get_yticklabels()):
        boxes = [tick.get_window_extent() for tick in ticks]
        for first, second in itertools.pairwise(boxes):
            assert not first.overlaps(second)
        for box in boxes:
            assert not box.overlaps(axes.bbox)
            for heading in figure.texts:
                assert not box.overlaps(heading.get_window_extent())
    inside = figure.bbox
    for artist in [*axes.get_xticklabels(), *axes.get_yticklabels(), *figure.texts]:
        box = artist.get_window_extent()
        assert inside.x0 <= box.x0 < box.x1 <= inside.x1
        assert inside.y0 <= box.y0 < box.y1 <= inside.y1


def test_zeros_are_not_written_among_many_classes():
    figure = plot_confusion(np.eye(20, dtype=int) * 7, [str(i) for i in range(20)])
    assert cells_of(figure) == {(i, i): ["7"] for i in range(20)}


def test_odd_names(tmp_path):
    figure = plot_confusion(np.eye(4), ["$pam$", "中文", "_x", "n" * 99])
    save_figure(figure, tmp_path / "a.svg")
    names = [tick.get_text() for tick in figure.axes[0].get_yticklabels()]
    assert names[0] == "$pam$"
    assert names[2] == "_x"
    assert names[3] == "n" * 47 + "…"


@pytest.mark.parametrize(
    ("matrix", "labels"),
    [([[1]], ["a", "b"]), ([[1, 2]], ["a"]), ([1, 2], ["a", "b"]), (np.empty((0, 0)), [])],
)
def test_wrong_shape(matrix, labels):
    with pytest.raises(InvalidShapeError, match="a row and a column for each of the"):
        plot_confusion(matrix, labels)


@pytest.mark.parametrize(
    "matrix",
    [
        [[0.5, 0.5], [1, 0]],
        [[1, -1], [0, 1]],
        [["a", "b"]] * 2,
        [[np.inf, 1], [0, 1]],
        [[np.nan, 1], [0, 1]],
    ],
)
def test_wrong_counts(matrix):
    with pytest.raises(InvalidArgumentError, match="must hold counts"):
        plot_confusion(matrix, ["a", "b"])
