"""Where labels go beside their points, so that no two of them overlap."""

import numpy as np
import numpy.typing as npt

_Array = npt.NDArray[np.float64]

# Directions in which a label can lie from its point, the best first: (right, up), where 1 puts the
# whole label on that side.
_DIRECTIONS = np.array(
    [
        *[(1, 0), (-1, 0), (0, 1), (0, -1)],
        *[(1, 1), (-1, 1), (1, -1), (-1, -1)],
        *[(0.5, 1), (-0.5, 1), (0.5, -1), (-0.5, -1)],
    ],
    dtype=np.float64,
)
# A slanting label's corner is nearer to the point than a side would be: keep it as near.
_SLANT = np.where((np.abs(_DIRECTIONS) == 1).all(axis=1), 0.7, 1.0)[:, None]
# How far out labels may go, in label heights, when there is no room beside the point.
_RINGS = (0.7, 1.5, 2.5)
# A line to a distant label is kept clear of labels at so many places.
_STEPS = np.linspace(0.0, 1.0, 9)[:, None]


def place_labels(
    points: _Array,
    sizes: _Array,
    bounds: tuple[float, float, float, float],
    gap: float,
) -> tuple[_Array, npt.NDArray[np.bool_]]:
    """Place labels so that none overlaps another, hides a point or leaves the area.

    Greedy: first, each label in turn takes the best place that is left beside its point. Then
    those without one look further out, where a line is to join them to their point; such a line
    crosses no label. What finds no place is left out.

    Args:
        points: (n, 2), in pixels.
        sizes: width and height of each label, (n, 2), margins included.
        bounds: left, bottom, right and top of the area.
        gap: pixels between a point's centre and its label.

    Returns:
        The lower left corner of each label, (n, 2), NaN for a label that is left out; and whether
        a line should join it to its point, (n,).
    """
    placed = np.full((len(points), 4), np.nan)  # NaN overlaps nothing
    distant = np.zeros(len(points), dtype=np.bool_)
    lines = np.empty((0, 2))
    for index, (point, size) in enumerate(zip(points, sizes, strict=True)):
        boxes = _boxes_around(point, size, gap)
        for box in boxes[_free(boxes, placed, points, bounds, gap)][:1]:
            placed[index] = box
    for index in np.flatnonzero(np.isnan(placed[:, 0])).tolist():
        point, size = points[index], sizes[index]
        boxes = np.concatenate([_boxes_around(point, size, gap + out * size[1]) for out in _RINGS])
        free = _free(boxes, placed, points, bounds, gap) & ~_covering(boxes, lines, 0.0)
        for box in boxes[free]:
            line = point + _STEPS * (np.clip(point, box[:2], box[2:]) - point)
            if not _covering(placed, line, 0.0).any():
                placed[index], distant[index] = box, True
                lines = np.concatenate([lines, line])
                break
    return placed[:, :2], distant


def _boxes_around(point: _Array, size: _Array, reach: float) -> _Array:
    """Boxes (left, bottom, right, top) of one size around a point, (k, 4), the best first."""
    centres = point + _DIRECTIONS * (size / 2 + reach * _SLANT)
    return np.hstack([centres - size / 2, centres + size / 2])


def _free(
    boxes: _Array,
    placed: _Array,
    points: _Array,
    bounds: tuple[float, float, float, float],
    gap: float,
) -> npt.NDArray[np.bool_]:
    """Which boxes lie within the bounds, on no placed box and on no point."""
    left, bottom, right, top = boxes.T[:, :, None]
    label_left, label_bottom, label_right, label_top = placed.T
    on_label = (left < label_right) & (label_left < right)
    on_label &= (bottom < label_top) & (label_bottom < top)
    left, bottom, right, top = boxes.T
    within = (left >= bounds[0]) & (bottom >= bounds[1])
    within &= (right <= bounds[2]) & (top <= bounds[3])
    free: npt.NDArray[np.bool_] = within & ~np.any(on_label, axis=1)
    # Half the gap is about a dot's radius.
    return free & ~_covering(boxes, points, gap / 2)


def _covering(boxes: _Array, points: _Array, margin: float) -> npt.NDArray[np.bool_]:
    """Which boxes, with a margin around them, have one of the points inside."""
    left, bottom, right, top = boxes.T[:, :, None]
    x, y = points.T
    inside = (x > left - margin) & (x < right + margin)
    inside &= (y > bottom - margin) & (y < top + margin)
    covering: npt.NDArray[np.bool_] = np.any(inside, axis=1)
    return covering
