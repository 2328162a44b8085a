"""Placing labels: whatever the points, what is placed is free of all else."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from rowwise.viz.placement import place_labels

BOUNDS = (0.0, 0.0, 200.0, 150.0)
GAP = 4.0

coordinates = st.tuples(st.floats(0, 200), st.floats(0, 150))
extents = st.tuples(st.floats(1, 80), st.floats(5, 20))


@settings(deadline=None)
@given(st.lists(st.tuples(coordinates, extents), max_size=25))
def test_placed_labels_are_free(cases):
    points = np.array([point for point, _ in cases]).reshape(-1, 2)
    sizes = np.array([size for _, size in cases]).reshape(-1, 2)
    corners, distant = place_labels(points, sizes, BOUNDS, GAP)
    assert corners.shape == (len(cases), 2)
    placed = np.flatnonzero(~np.isnan(corners[:, 0]))
    assert set(np.flatnonzero(distant)) <= set(placed)
    boxes = {i: (*corners[i], *(corners[i] + sizes[i])) for i in placed}
    rounding = 1e-9
    for i, (left, bottom, right, top) in boxes.items():
        assert left >= BOUNDS[0] - rounding
        assert bottom >= BOUNDS[1] - rounding
        assert right <= BOUNDS[2] + rounding
        assert top <= BOUNDS[3] + rounding
        for x, y in points:
            assert not (left < x < right and bottom < y < top)
        for j, other in boxes.items():
            if i < j:
                across = min(right, other[2]) - max(left, other[0])
                along = min(top, other[3]) - max(bottom, other[1])
                assert min(across, along) <= rounding


def test_the_first_label_has_the_free_choice():
    points = np.array([[100.0, 75.0], [104.0, 75.0]])
    sizes = np.array([[30.0, 10.0], [30.0, 10.0]])
    corners, distant = place_labels(points[:1], sizes[:1], BOUNDS, GAP)
    np.testing.assert_allclose(corners, [[104.0, 70.0]])  # to the right, centred
    assert not distant.any()
    corners, _ = place_labels(points, sizes, BOUNDS, GAP)
    assert corners[0, 0] + 30 <= 100  # to the left: its neighbour's dot is on the right
    assert corners[1, 0] >= 104


def test_a_label_too_wide_for_the_area_is_left_out():
    corners, distant = place_labels(np.array([[100.0, 75.0]]), np.array([[300.0, 10]]), BOUNDS, GAP)
    assert np.isnan(corners).all()
    assert not distant.any()


def test_a_crowd_uses_lines_then_gives_up():
    points = np.full((60, 2), 70.0)
    corners, distant = place_labels(points, np.full((60, 2), 12.0), BOUNDS, GAP)
    placed = ~np.isnan(corners[:, 0])
    assert placed[0]
    assert not distant[0]
    assert distant.any()
    assert not placed.all()
