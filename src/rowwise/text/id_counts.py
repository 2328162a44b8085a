"""How often categorical values occur, as a value whose parts can be merged."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from rowwise.errors import InvalidArgumentError
from rowwise.text.choosing import require_sizes
from rowwise.text.id_column import IdColumn
from rowwise.text.id_values import as_raw_ids, widest


@dataclass(frozen=True, eq=False, repr=False)
class IdCounts:
    """The distinct values of a column that comes in parts, and how often each occurs.

    Parts can be counted anywhere and merged with ``+`` or ``merge``, in any order.

    Attributes:
        values: sorted; int64 or uint64 ``(values,)``, or strings as Arrow's ``large_string``;
            None for nothing.
        counts: int64 ``(values,)``.
    """

    values: Any
    counts: NDArray[np.int64]

    @classmethod
    def from_values(cls, values: Any) -> "IdCounts":
        """Count values; what is missing does not count.

        Args:
            values: as for ``IdColumn.ids``.

        Raises:
            InvalidArgumentError: they are neither strings nor whole numbers.
        """
        present = as_raw_ids(values).present()
        if present is None:
            return cls(None, np.zeros(0, dtype=np.int64))
        found = pc.value_counts(pa.array(present))
        distinct, counts = found.field("values"), found.field("counts").to_numpy()
        order = pc.sort_indices(distinct)
        return cls(_as_held(distinct.take(order)), counts[order.to_numpy()])

    def merge(self, *others: "IdCounts") -> "IdCounts":
        """Add the counts of other parts; faster for many at once than one by one.

        Raises:
            InvalidArgumentError: some are of strings and some of numbers, or something else.
        """
        for other in others:
            if not isinstance(other, IdCounts):
                raise InvalidArgumentError(f"Only IdCounts can be merged. Received: {other!r}")
        parts = [part for part in (self, *others) if part.values is not None]
        if len(parts) <= 1:
            return parts[0] if parts else self
        if len({isinstance(part.values, np.ndarray) for part in parts}) > 1:
            raise InvalidArgumentError(
                "Some of these counts are of strings and some of whole numbers. Convert one kind."
            )
        if isinstance(parts[0].values, np.ndarray):
            wanted = widest([part.values for part in parts])
            arrays = [pa.array(part.values.astype(wanted)) for part in parts]
        else:
            arrays = [part.values for part in parts]
        table = pa.table(
            [pa.concat_arrays(arrays), np.concatenate([part.counts for part in parts])],
            names=["value", "count"],
        )
        summed = table.group_by("value").aggregate([("count", "sum")]).sort_by("value")
        values = summed.column("value").combine_chunks()
        return IdCounts(_as_held(values), summed.column("count_sum").to_numpy())

    def __add__(self, other: object) -> "IdCounts":
        if not isinstance(other, IdCounts):
            return NotImplemented
        return self.merge(other)

    def __len__(self) -> int:
        """Return the number of distinct values."""
        return len(self.counts)

    def to_column(self, max_size: int | None = None, min_count: int = 1) -> IdColumn:
        """Return what ``IdColumn.build`` returns for the values that were counted.

        Raises:
            InvalidArgumentError: ``max_size`` is less than 2 or ``min_count`` negative.
        """
        require_sizes(max_size, min_count)
        if self.values is None:
            return IdColumn([], [])
        order = np.argsort(-self.counts, kind="stable")
        order = order[self.counts[order] >= min_count]
        if not isinstance(self.values, np.ndarray):
            unknown = pc.index(self.values, pa.scalar(IdColumn.unknown, pa.large_string())).as_py()
            order = order[order != unknown]
        if max_size is not None:
            order = order[: max_size - 2]
        if isinstance(self.values, np.ndarray):
            return IdColumn(self.values[order], self.counts[order])
        return IdColumn(self.values.take(pa.array(order)), self.counts[order])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, IdCounts):
            return NotImplemented
        same = np.array_equal(self.counts, other.counts)
        return same and bool(_arrow(self.values).equals(_arrow(other.values)))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<IdCounts: {len(self):,} different values, {int(self.counts.sum()):,} in all>"


def _as_held(array: Any) -> Any:
    return array.to_numpy() if pa.types.is_integer(array.type) else array


def _arrow(values: Any) -> Any:
    return pa.array([] if values is None else values)
