"""Words on their way: points, pictures, animations, and what is refused."""

import numpy as np
import pytest
from PIL import Image

from rowwise.errors import InvalidArgumentError, InvalidShapeError
from rowwise.viz import Journey, plot_journey, save_figure, save_journey

WORDS = ["good", "<b>", "$x^2$", "日本"]


def some_journey(moments=4, words=WORDS, seed=0):
    rows = np.random.default_rng(seed).normal(size=(moments, len(words), 6)).cumsum(axis=0)
    return Journey(words, [f"epoch {i}" for i in range(moments)], rows.astype("float32"))


def test_a_place_means_the_same_at_every_moment():
    journey = some_journey()
    still = Journey(WORDS, ["a", "b"], np.stack([journey.rows[0], journey.rows[0]]))
    np.testing.assert_array_equal(still.points[0], still.points[1])
    # A PCA of the plane keeps distances.
    flat = np.zeros((2, 4, 6), "float32")
    flat[:, :, [1, 4]] = np.random.default_rng(1).normal(size=(2, 4, 2))
    points = Journey(WORDS, ["a", "b"], flat).points.reshape(8, 2)
    rows = flat.reshape(8, 6)
    for one in range(8):
        wanted = np.linalg.norm(rows - rows[one], axis=1)
        np.testing.assert_allclose(np.linalg.norm(points - points[one], axis=1), wanted, atol=1e-4)


@pytest.mark.parametrize("moments", [1, 2, 5])
@pytest.mark.parametrize("color", [None, ["a", "b", "a", "_$"]])
def test_pictures_and_animations(tmp_path, moments, color):
    journey = some_journey(moments)
    save_figure(plot_journey(journey, color=color, title="A & B"), tmp_path / "way.png")
    for name in ("one.gif", "other.gif", "one.html", "other.html"):
        save_journey(journey, tmp_path / name, color=color, title="A & B")
    for suffix in ("gif", "html"):
        one, other = (tmp_path / f"{name}.{suffix}" for name in ("one", "other"))
        assert one.read_bytes() == other.read_bytes()
    with Image.open(tmp_path / "one.gif") as animation:
        assert animation.n_frames == 8 * (moments - 1) + 1
        assert animation.info.get("loop", 0) == 0


def test_words_move_in_the_animation(tmp_path):
    save_journey(some_journey(), tmp_path / "way.gif")
    with Image.open(tmp_path / "way.gif") as animation:
        pictures = []
        for number in (0, 4, 24):
            animation.seek(number)
            pictures.append(np.asarray(animation.convert("RGB")).astype(int))
    assert np.abs(pictures[1] - pictures[0]).max() > 100
    assert np.abs(pictures[2] - pictures[1]).max() > 100


@pytest.mark.parametrize("moments", [150, 400])
def test_many_moments_make_a_gif_of_bounded_length(tmp_path, moments):
    save_journey(some_journey(moments, WORDS[:1]), tmp_path / "way.gif")
    with Image.open(tmp_path / "way.gif") as animation:
        assert animation.n_frames <= 240


def test_the_page_plays_and_can_be_moved_by_hand(page, tmp_path):
    save_journey(some_journey(), tmp_path / "way.html", title="<i>Ways</i>")
    page.emulate_media(reduced_motion="reduce")
    page.goto((tmp_path / "way.html").as_uri())
    page.wait_for_selector("html[data-ready]")
    assert page.inner_text("h1") == "<i>Ways</i>"
    assert page.inner_text("#moment") == "epoch 0"
    now = "(data => [...data.at(-1).x])(document.getElementById('map').data)"
    np.testing.assert_allclose(page.evaluate(now), some_journey().points[0, :, 0], atol=1e-5)
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.getElementById('moment').textContent === 'epoch 1'")
    np.testing.assert_allclose(page.evaluate(now), some_journey().points[1, :, 0], atol=1e-5)
    page.click("#play")
    page.wait_for_function("document.getElementById('moment').textContent === 'epoch 3'")
    page.wait_for_function("document.getElementById('play').textContent === 'Play'")
    np.testing.assert_allclose(page.evaluate(now), some_journey().points[3, :, 0], atol=1e-5)
    shown = page.evaluate("[...document.querySelectorAll('#map text')].map(one => one.textContent)")
    assert set(WORDS) <= set(shown)


def test_many_words_at_many_moments(page, tmp_path):
    journey = some_journey(200, [f"w{i}" for i in range(400)])
    save_journey(journey, tmp_path / "way.html")
    page.emulate_media(reduced_motion="reduce")
    page.goto((tmp_path / "way.html").as_uri())
    page.wait_for_selector("html[data-ready]")


def test_words_and_rows_may_be_arrays_or_lists():
    journey = Journey(np.array(["a", "b"]), ["start"], [[[0.0, 1], [2, 3]]])
    assert journey.words == ("a", "b")
    assert journey.rows.dtype == np.float32


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((WORDS, ["a"], np.zeros((2, 4, 3))), InvalidShapeError, r"\(1, 4, columns\).*\(2, 4, 3\)"),
        ((WORDS, ["a"], np.zeros((4, 3))), InvalidShapeError, r"Received: \(4, 3\)"),
        (([], ["a"], np.zeros((1, 0, 3))), InvalidArgumentError, "at least one word"),
        ((["a", "a"], ["a"], np.zeros((1, 2, 3))), InvalidArgumentError, "each word once"),
        ((["a"], ["b"], np.full((1, 1, 3), np.nan)), InvalidArgumentError, "'a' holds NaN.*'b'"),
    ],
)
def test_what_is_no_journey(arguments, error, message):
    with pytest.raises(error, match=message):
        Journey(*arguments)


@pytest.mark.parametrize(
    ("name", "color", "message"),
    [
        ("way.mp4", None, r"saved as \.gif or \.html.*way\.mp4"),
        ("way.gif", ["a"], "each of the 4 words"),
        ("way.html", [1, 2, 3, 4], "a category for each word"),
    ],
)
def test_what_is_refused(tmp_path, name, color, message):
    with pytest.raises(InvalidArgumentError, match=message):
        save_journey(some_journey(), tmp_path / name, color=color)
    assert list(tmp_path.iterdir()) == []
