"""Maps of words: labels apart from each other, every word drawn as it is spelt, nothing warned."""

import itertools
import logging
import subprocess
import sys

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from rowwise.errors import InvalidArgumentError, MissingExtraError, RowwiseError
from rowwise.vectors import Vectors
from rowwise.viz import plot_map, save_figure
from rowwise.viz.figures import COLOURS

ODD = [
    *["中文", "한국어", "😀", "👩\u200d💻", "नमस्ते", "مرحبا", "e\u0301", "\u0301", "\U000e0041"],
    *["$x^2$", "$", "a_b", "\\frac{a}", "%", "a\nb", "\t", "\x00", "\u2028", "", " ", "x" * 300],
    *["\ud800", "_x", "\u202eabc"],
]


def vectors_of(words, d: int = 8) -> Vectors:
    words = [f"word{i}" for i in range(words)] if isinstance(words, int) else words
    return Vectors(words, np.random.default_rng(1).normal(size=(len(words), d)))


def labels_of(figure: Figure) -> list:
    return figure.axes[0].texts


def footer_of(figure: Figure) -> str:
    return figure.texts[-1].get_text()


def boxes_of(figure: Figure, dpi: float) -> list:
    figure.set_dpi(dpi)
    renderer = figure.canvas.get_renderer()
    return [text.get_window_extent(renderer) for text in labels_of(figure)]


def overlapping(boxes) -> list:
    return [
        (a, b)
        for a, b in itertools.combinations(boxes, 2)
        if min(a.x1, b.x1) - max(a.x0, b.x0) > 0 and min(a.y1, b.y1) - max(a.y0, b.y0) > 0
    ]


@pytest.mark.parametrize(
    ("count", "method", "dpi"),
    [(1, "tsne", 150), (8, "tsne", 150), (200, "tsne", 72), (200, "pca", 150), (600, "pca", 150)],
)
def test_labels_do_not_overlap_and_stay_inside(count, method, dpi):
    vectors = vectors_of(count)
    figure = plot_map(vectors, vectors.words, method=method)
    boxes = boxes_of(figure, dpi)
    assert not overlapping(boxes)
    area = figure.axes[0].bbox
    for box in boxes:
        assert area.x0 <= box.x0 < box.x1 <= area.x1
        assert area.y0 <= box.y0 < box.y1 <= area.y1
    left_out = count - len(boxes)
    noun = "label" if left_out == 1 else "labels"
    assert (f"{left_out} {noun} left out for want of room" in footer_of(figure)) == (left_out > 0)
    assert len(figure.axes[0].collections[0].get_offsets()) == count  # every dot is there


def test_a_few_words_are_all_labelled():
    figure = plot_map(vectors_of(20))
    assert sorted(text.get_text() for text in labels_of(figure)) == sorted(vectors_of(20).words)
    assert footer_of(figure) == "t-SNE of 20 words × 8 columns"


def test_words_by_default_and_by_choice():
    vectors = vectors_of(250)
    assert footer_of(plot_map(vectors, method="pca")).startswith("PCA of 200 words × 8 columns")
    figure = plot_map(vectors, ["word240", "word3"])
    assert [text.get_text() for text in labels_of(figure)] == ["word240", "word3"]


def test_same_seed_same_picture(tmp_path):
    vectors = vectors_of(30)
    for name in ("a.png", "b.png"):
        save_figure(plot_map(vectors, seed=4), tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    first, second = (plot_map(vectors, seed=seed) for seed in (4, 5))
    dots = [figure.axes[0].collections[0].get_offsets() for figure in (first, second)]
    assert not np.array_equal(*dots)


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_any_word_is_drawn_without_a_warning(tmp_path, capfd, caplog, suffix):
    with caplog.at_level(logging.WARNING):
        figure = plot_map(vectors_of(ODD), title="中 $a_b$", color=[*ODD[:3], *["_"] * 20, "$"])
        save_figure(figure, tmp_path / f"map.{suffix}")  # warnings are errors in these tests
    assert not [record for record in caplog.records if record.name.startswith("matplotlib")]
    assert capfd.readouterr() == ("", "")
    assert not overlapping(boxes_of(figure, 150))
    drawn = {text.get_text() for text in labels_of(figure)}
    assert {"😀", "$x^2$", "$", "a_b", "\\frac{a}", "a\\nb", "\\x00", "''", "' '"} <= drawn
    assert "x" * 31 + "…" in drawn
    assert not any("\n" in text for text in drawn)
    assert figure.axes[0].get_legend().get_texts()[0].get_text() == "_"


def test_characters_without_a_glyph_are_counted():
    # Code points that are never assigned, so that no font has them.
    figure = plot_map(vectors_of(["a\ufdd0b", "\ufdd1", "fine"]))
    assert sorted(text.get_text() for text in labels_of(figure)) == ["a▯b", "fine", "▯"]
    assert "▯: 2 words with characters that no installed font has" in footer_of(figure)


def test_another_installed_font_helps_out():
    # matplotlib brings STIX fonts, which have this letter; its main font does not.
    figure = plot_map(vectors_of(["\U0001d4b6bc", "fine"]))
    assert "\U0001d4b6bc" in [text.get_text() for text in labels_of(figure)]
    assert "▯" not in footer_of(figure)


def test_title():
    figure = plot_map(vectors_of(3), title="What costs $5 or $6?")
    assert figure.texts[0].get_text() == "What costs $5 or $6?"
    assert not figure.texts[0].get_parse_math()
    assert len(plot_map(vectors_of(3)).texts) == 1


@pytest.mark.parametrize("color", [None, [0.1, 0.5, 0.9], ["a", "b", "some label"]])
def test_a_title_is_cut_only_where_the_picture_ends(color):
    for title in ("Telling and frequent words, by how probable it is", "words " * 40, "W" * 300):
        figure = plot_map(vectors_of(3), title=title, color=color)
        shown = figure.texts[0]
        extent = shown.get_window_extent(figure.canvas.get_renderer())
        assert extent.x1 <= figure.bbox.x1
        if shown.get_text() != title:
            assert shown.get_text().endswith("…")
            assert extent.x1 > 0.9 * figure.bbox.x1


def test_a_run_of_few_words_has_its_whole_title():
    title = "Telling and frequent words, by the label that they speak for"
    figure = plot_map(vectors_of(3), title=title, color=["negative", "neutral", "positive"])
    assert figure.texts[0].get_text() == title


def test_categories_have_colours_shapes_and_a_legend():
    color = ["$noun$", "_verb", "$noun$", True]
    axes = plot_map(vectors_of(4), color=color).axes[0]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "$noun$",
        "_verb",
        "True",
    ]
    groups = axes.collections[:3]
    assert [len(group.get_offsets()) for group in groups] == [2, 1, 1]
    assert tuple(to_hex(group.get_facecolor()[0]) for group in groups) == COLOURS[:3]
    shapes = [group.get_paths()[0].vertices.shape for group in groups]
    assert len(set(shapes)) == 3


def test_many_categories_share_the_last_entry():
    color = [str(min(i, 9)) for i in range(20)]  # "9" is the largest
    axes = plot_map(vectors_of(20), color=color).axes[0]
    entries = [text.get_text() for text in axes.get_legend().get_texts()]
    assert entries == ["9", "0", "1", "2", "3", "4", "4 others"]
    assert sum(len(group.get_offsets()) for group in axes.collections[:7]) == 20


@pytest.mark.parametrize("color", [[1, 2, 5], [0.5, -1, 3], np.arange(3), np.ones(3, np.float32)])
def test_numbers_have_a_scale(color):
    figure = plot_map(vectors_of(3), color=color)
    dots = figure.axes[0].collections[0]
    np.testing.assert_array_equal(dots.get_array(), np.asarray(color, dtype=float))
    assert len(figure.axes) == 2
    assert figure.axes[0].get_legend() is None


def test_the_legend_stays_in_the_figure():
    figure = plot_map(vectors_of(6), color=["a very long name of a category"] * 6)
    legend = figure.axes[0].get_legend().get_window_extent()
    assert legend.x0 >= figure.axes[0].bbox.x1
    assert legend.x1 <= figure.bbox.x1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"words": []}, "A map needs at least one word"),
        ({"words": "word1"}, "`words` must be a list of words. Received: 'word1'"),
        ({"words": ["word1", "nowhere"]}, "'nowhere' has no row"),
        ({"words": ["word1", "word2", "word1"]}, "'word1' is there twice"),
        ({"color": [1, 2]}, "each of the 5 words. Received 2"),
        ({"color": "green"}, "each of the 5 words. Received 'green'"),
        ({"color": [1, 2, 3, float("nan"), 5]}, "That of 'word3' is nan"),
        ({"seed": -1}, "`seed` must be a whole number from 0 to 4294967295. Received: -1"),
        ({"seed": 2**32}, "`seed` must be a whole number from 0 to 4294967295"),
        ({"title": 5}, "`title` must be a string. Received: 5"),
        ({"method": "mds"}, "`method` must be 'auto', 'tsne', 'pca' or 'umap'"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(RowwiseError) as caught:
        plot_map(vectors_of(5), **arguments)
    assert message in str(caught.value)


@pytest.mark.parametrize("color", [None, [1.0, 2.0, 3.0, np.nan, 5.0], ["a", "b", "c", "d", "e"]])
def test_rows_that_are_not_finite_are_left_out(color):
    rows = np.random.default_rng(1).normal(size=(5, 4))
    rows[3, 1] = np.nan
    figure = plot_map(Vectors([f"word{i}" for i in range(5)], rows), color=color)
    assert sorted(text.get_text() for text in labels_of(figure)) == [
        *("word0", "word1", "word2", "word4")
    ]
    noted = "t-SNE of 4 words × 4 columns   ·   1 word left out, for rows with NaN or infinity"
    assert footer_of(figure) == noted


def test_no_row_is_finite():
    with pytest.raises(InvalidArgumentError, match="All rows hold NaN or infinity"):
        plot_map(Vectors(["a", "b"], np.full((2, 3), np.inf)))


def test_one_word_of_one_column():
    assert footer_of(plot_map(Vectors(["a"], [[1.0]]))) == "t-SNE of 1 word × 1 column"


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_a_title_of_half_a_character(tmp_path, suffix):
    figure = plot_map(vectors_of(3), title="half \ud800")
    save_figure(figure, tmp_path / f"map.{suffix}")
    assert figure.texts[0].get_text() == "half ▯"


def test_no_vectors():
    with pytest.raises(InvalidArgumentError, match="at least one word"):
        plot_map(Vectors([], np.empty((0, 4))))


def test_without_matplotlib(monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r'pip install "rowwise\[plot\]"'):
        plot_map(vectors_of(3))


def test_importing_viz_loads_nothing_heavy():
    code = (
        "import sys, rowwise.viz;"
        "print({'matplotlib', 'sklearn', 'keras', 'jax'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_drawing_leaves_pyplot_alone():
    code = (
        "import sys, numpy as np; from rowwise.viz import plot_map, save_figure;"
        "from rowwise.vectors import Vectors;"
        "plot_map(Vectors(['a', 'b'], np.eye(2)));"
        "print('matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
