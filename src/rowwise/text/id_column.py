"""``IdColumn``: categorical ids of any kind as rows of a table."""

import json
from collections.abc import Iterable
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from rowwise.errors import InvalidArgumentError, InvalidIdError
from rowwise.text.checks import checked_counts, shorten
from rowwise.text.id_values import as_raw_ids
from rowwise.text.number_lookup import NumberLookup
from rowwise.text.string_lookup import StringLookup
from rowwise.text.vocabulary import Vocabulary


class IdColumn:
    """The values of a categorical column, and the row that each has; a value that never changes.

    Users, products, postcodes: strings, or whole numbers of 64 bits, signed or unsigned, each told
    apart exactly. As in a ``Vocabulary`` row 0 is padding, row 1 stands for every unknown value
    and for what is missing, the values follow from row 2 on, and ``len(column)`` counts all of
    them: it is the ``input_dim`` of an embedding, which also takes the column itself.

    Args:
        values: the values in the order of their rows, as for ``ids``; none may be missing.
        counts: how often each occurred, or None.

    Raises:
        InvalidArgumentError: a value is missing, there twice, or neither a string nor a whole
            number; or ``counts`` are not one whole number for each.
    """

    padding_id: ClassVar[int] = Vocabulary.padding_id
    unknown_id: ClassVar[int] = Vocabulary.unknown_id
    unknown: ClassVar[str] = Vocabulary.unknown

    def __init__(self, values: Any, counts: Iterable[int] | None = None) -> None:
        raw = as_raw_ids(values)
        if raw.missing is not None and raw.missing.any():
            position = int(np.flatnonzero(raw.missing)[0])
            raise InvalidArgumentError(
                f"The value at position {position} is missing. Leave it out: missing values have "
                f"row {self.unknown_id}."
            )
        self._values = raw.values
        self._counts = checked_counts(counts, self._size)
        self._require_distinct()

    @classmethod
    def build(cls, values: Any, max_size: int | None = None, min_count: int = 1) -> "IdColumn":
        """Take the values of a column, the most frequent first, of equals the lowest first.

        ``IdCounts`` does the same for a column that comes in parts.

        Args:
            values: as for ``ids``; what is missing is left out.
            max_size: the largest ``len(column)``, the two reserved rows included.
            min_count: leave out values that occur less often.

        Raises:
            InvalidArgumentError: ``max_size`` is less than 2, ``min_count`` negative, or the
                values are neither strings nor whole numbers.
        """
        from rowwise.text.id_counts import IdCounts

        return IdCounts.from_values(values).to_column(max_size, min_count)

    @property
    def values(self) -> list[Any]:
        """The values in the order of their rows, which begin at 2: all strings, or all ints."""
        if self._values is None:
            return []
        found: list[Any] = (
            self._values.tolist() if self._holds_numbers else self._values.to_pylist()
        )
        return found

    @property
    def counts(self) -> tuple[int, ...] | None:
        """How often each row's value occurred, 0 for the reserved ones; None if not known."""
        return self._counts

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """The values as words, numbers in decimal digits, with the same rows."""
        counts = None if self._counts is None else self._counts[2:]
        return Vocabulary(map(str, self.values), counts)

    def __len__(self) -> int:
        return self._size + 2

    def __contains__(self, value: object) -> bool:
        return self[value] != self.unknown_id

    def __getitem__(self, value: Any) -> int:
        """Return the row of one value, 1 if it is unknown or missing."""
        return int(self.ids([value])[0])

    def ids(self, values: Any) -> NDArray[np.int32]:
        """Return the rows of values, 1 for unknown and missing ones.

        Args:
            values: strings or whole numbers, in a list, an array of NumPy of any shape, or a
                column of pandas, polars or pyarrow. None, NaN, NA and empty strings are missing.

        Returns:
            int32, the shape of ``values``.

        Raises:
            InvalidArgumentError: the values are of another kind than those of the column.
        """
        raw = as_raw_ids(values)
        if raw.values is None or self._values is None:
            return np.full(raw.shape, self.unknown_id, dtype=np.int32)
        if (raw.kind == "int") != self._holds_numbers:
            kinds = ("whole numbers", "strings")
            here, came = kinds if self._holds_numbers else reversed(kinds)
            raise InvalidArgumentError(
                f"This column holds {here}, and {came} came. Convert them to {here} first."
            )
        rows = self._lookup.rows(raw.values)
        if raw.missing is not None:
            rows[raw.missing] = self.unknown_id
        return rows.reshape(raw.shape)

    def inverse(self, ids: Any) -> list[Any]:
        """Return the values of rows, None for padding and unknown.

        Args:
            ids: whole numbers, one-dimensional.

        Raises:
            InvalidIdError: there is no such row.
        """
        rows = np.asarray(ids)
        if not rows.size:
            return []
        if rows.dtype.kind not in "iu" or rows.min() < 0 or rows.max() >= len(self):
            raise InvalidIdError(
                f"Rows must be whole numbers in [0, {len(self)}). Received: {shorten(ids)}"
            )
        known = rows >= 2
        if self._values is None:
            return [None] * len(rows)
        places = np.where(known, rows.astype(np.int64) - 2, 0)
        found = pa.array(self._values).take(pa.array(places, mask=~known))
        values: list[Any] = found.to_pylist()
        return values

    def to_json(self) -> str:
        """Return the column as a JSON object; whole numbers keep all their digits in it."""
        counts = None if self._counts is None else self._counts[2:]
        return json.dumps({"values": self.values, "counts": counts}, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "IdColumn":
        """Read what ``to_json`` wrote.

        Raises:
            InvalidArgumentError: ``text`` is something else.
        """
        try:
            value = json.loads(text)
        except ValueError as error:
            raise InvalidArgumentError(f"A column's JSON was expected: {error}") from error
        if not isinstance(value, dict) or not isinstance(value.get("values"), list):
            raise InvalidArgumentError(
                f'A column\'s JSON is an object with a list of "values". Received: {shorten(text)}'
            )
        return cls(value["values"], value.get("counts"))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, IdColumn):
            return NotImplemented
        return self._counts == other._counts and self.values == other.values

    def __hash__(self) -> int:
        return hash((len(self), self._counts))

    def __repr__(self) -> str:
        first = ", ".join(map(repr, self.inverse(np.arange(2, min(len(self), 5)))))
        more = ", ..." if len(self) > 5 else ""
        return f"<IdColumn of {len(self):,} rows: {first}{more}>"

    def __reduce__(self) -> tuple[Any, ...]:
        values = [] if self._values is None else self._values
        return IdColumn, (values, None if self._counts is None else self._counts[2:])

    @property
    def _size(self) -> int:
        return 0 if self._values is None else len(self._values)

    @property
    def _holds_numbers(self) -> bool:
        return isinstance(self._values, np.ndarray)

    @cached_property
    def _lookup(self) -> NumberLookup | StringLookup:
        kind = NumberLookup if self._holds_numbers else StringLookup
        return kind(self._values, 2, self.unknown_id)

    def _require_distinct(self) -> None:
        if self._values is None:
            return
        array = pa.array(self._values)
        if len(pc.unique(array)) == len(array):
            if not self._holds_numbers and pc.index(array, self.unknown).as_py() >= 0:
                raise InvalidArgumentError(
                    f"{self.unknown!r} stands for unknown values and cannot be one of them."
                )
            return
        seen: set[Any] = set()
        for position, value in enumerate(self.values):
            if value in seen:
                raise InvalidArgumentError(
                    f"The value {value!r} is there twice, the second time at position {position}. "
                    "A value has one row: remove one of the two, or use IdColumn.build."
                )
            seen.add(value)
