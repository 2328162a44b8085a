"""What training did: distances, cosines, neighbours gained and lost, words come and gone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rowwise.errors import InvalidArgumentError, InvalidShapeError
from rowwise.vectors import Vectors
from rowwise.viz import compare, plot_comparison, save_figure
from rowwise.viz import comparison as module

# On a circle, by their angles: near in angle is near in cosine.
ANGLES = {"north": 90, "north-by-east": 80, "east": 0, "east-by-north": 12, "west": 180}


def on_circle(angles, length=1.0):
    radians = np.radians(list(angles.values()))
    rows = length * np.stack([np.cos(radians), np.sin(radians)], axis=1)
    return Vectors(list(angles), rows.astype("float32"))


def test_a_word_that_moved_gains_and_loses_neighbours():
    before, after = on_circle(ANGLES), on_circle({**ANGLES, "north": 5})
    found = compare(before, after)
    assert found.unmoved == ("north-by-east", "east", "east-by-north", "west")
    (moved,) = found.most_moved(topn=1)
    assert moved.word == "north"
    assert (moved.gained, moved.lost) == (("east",), ("north-by-east",))
    assert moved.cosine == pytest.approx(np.cos(np.radians(85)), abs=1e-6)
    assert moved.distance == pytest.approx(2 * np.sin(np.radians(85) / 2), abs=1e-6)
    assert "north " in str(found)
    assert "4 did not move" in str(found)


def test_a_row_that_grew_keeps_its_direction():
    found = compare(on_circle(ANGLES), on_circle(ANGLES, length=3.0))
    np.testing.assert_allclose(found.cosines, 1, atol=1e-6)
    np.testing.assert_allclose(found.distances, 2, atol=1e-6)
    np.testing.assert_allclose(found.norms_after, 3, atol=1e-6)
    assert found.unmoved == ()
    assert all(one.gained == one.lost == () for one in found.most_moved(topn=2))


def test_a_row_of_zeros_has_no_neighbours():
    before = Vectors(["a", "b", "c"], [[0.0, 0], [1, 0], [0, 1]])
    after = Vectors(["a", "b", "c"], [[3.0, 0], [1, 0], [0, 0]])
    first, second = compare(before, after).most_moved(topn=1)
    assert (first.word, first.gained, first.lost) == ("a", ("b",), ())
    assert (second.word, second.gained, second.lost) == ("c", (), ("a",))


def test_words_may_come_go_and_change_places():
    before = Vectors(["a", "b", "gone"], [[1.0, 0], [0, 1], [5, 5]])
    after = Vectors(["b", "new", "a"], [[0.0, 2], [9, 9], [1, 0]])
    found = compare(before, after)
    assert (found.words, found.added, found.dropped) == (("b", "a"), ("new",), ("gone",))
    np.testing.assert_array_equal(found.distances, [1, 0])


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_numbers_are_numpys(data):
    count, columns = data.draw(st.integers(1, 9)), data.draw(st.integers(1, 4))
    numbers = st.floats(-1e3, 1e3, width=32)
    one, other = (data.draw(arrays("float32", (count, columns), elements=numbers)) for _ in "ab")
    words = [str(number) for number in range(count)]
    order = data.draw(st.permutations(range(count)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_BLOCK", data.draw(st.integers(1, 4)))
        found = compare(
            Vectors(words, one), Vectors([words[place] for place in order], other[order])
        )
    one, other = one[order].astype("float64"), other[order].astype("float64")
    np.testing.assert_allclose(found.distances, np.sqrt(((one - other) ** 2).sum(axis=1)))
    lengths = np.sqrt((one**2).sum(axis=1)), np.sqrt((other**2).sum(axis=1))
    np.testing.assert_allclose(found.norms_before, lengths[0])
    np.testing.assert_allclose(found.norms_after, lengths[1])
    product = lengths[0] * lengths[1]
    expected = np.where(product > 0, (one * other).sum(axis=1) / np.where(product, product, 1), 0)
    np.testing.assert_allclose(found.cosines, expected, atol=1e-9)


def test_rows_that_are_not_finite_are_said_and_left_out(tmp_path):
    before = Vectors(["a", "b", "c"], [[1.0, 0], [0, 1], [1, 1]])
    after = Vectors(["a", "b", "c"], [[np.nan, 0], [0, np.inf], [2, 1]])
    found = compare(before, after)
    assert [one.word for one in found.most_moved()] == ["c"]
    assert "2 words with rows that are not finite" in str(found)
    save_figure(plot_comparison(found), tmp_path / "moved.png")


def test_nothing_moved():
    found = compare(on_circle(ANGLES), on_circle(ANGLES))
    assert found.most_moved() == []
    assert str(found).startswith("5 words in both tables; 5 did not move")
    assert plot_comparison(found).axes


def test_the_picture_shows_every_word_and_names_the_farthest():
    words = [f"w{number}" for number in range(50)]
    rows = np.random.default_rng(0).normal(size=(50, 3)).astype("float32")
    later = rows.copy()
    later[7] += 5
    found = compare(Vectors(words, rows), Vectors(words, later))
    moves, norms = plot_comparison(found).axes
    np.testing.assert_allclose(moves.collections[0].get_offsets()[:, 1], found.distances)
    assert [text.get_text() for text in moves.texts] == ["w7"]
    assert [text.get_text() for text in norms.get_legend().get_texts()] == ["before", "after"]
    np.testing.assert_allclose(norms.collections[1].get_offsets()[:, 1], found.norms_after)


@pytest.mark.parametrize(
    ("before", "after", "error", "message"),
    [
        (Vectors(["a"], [[1.0]]), Vectors(["a"], [[1.0, 2]]), InvalidShapeError, "1 before and 2"),
        (Vectors(["a"], [[1.0]]), Vectors(["b"], [[1.0]]), InvalidArgumentError, "no word in"),
        (Vectors(["a"], [[1.0]]), [[1.0]], InvalidArgumentError, "`after` must be Vectors"),
    ],
)
def test_what_cannot_be_compared(before, after, error, message):
    with pytest.raises(error, match=message):
        compare(before, after)


@pytest.mark.parametrize("wrong", [{"count": 0}, {"topn": 0}])
def test_counts_below_one(wrong):
    with pytest.raises(InvalidArgumentError, match="must be 1 or more"):
        compare(on_circle(ANGLES), on_circle(ANGLES)).most_moved(**wrong)
