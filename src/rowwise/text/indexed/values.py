"""The values of examples, out of the rows of a file."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rowwise.text.columns import Row, label_of, text_of, weight_of
from rowwise.text.indexed.sources import Names, Source
from rowwise.text.reading import Fault, shown


@dataclass(frozen=True)
class Values:
    """Texts and what goes with them, in the order of their file."""

    numbers: list[int]
    """The line or row in which each stands."""
    texts: list[str]
    labels: list[str] | None
    weights: list[float] | None


def values_of(
    source: Source, names: Names, rows: Sequence[Row], with_labels: bool = True
) -> Values:
    """Check the values of rows.

    Args:
        source: the file.
        names: the columns, in the order of the values in a row.
        rows: a block of it.
        with_labels: whether to look at labels.

    Raises:
        Fault: a value is not as it must be; the place is its line and column.
    """
    numbers = [number for number, _ in rows]
    readers: list[tuple[str, str | None, Callable[[object], Any]]] = [
        ("texts", names.text, text_of),
        ("labels", names.label, label_of),
        ("weights", names.weight, weight_of),
    ]
    found: dict[str, Any] = {}
    there = [reader for reader in readers if reader[1] is not None]
    for place, (into, name, read) in enumerate(there):
        if into == "labels" and not with_labels:
            continue
        column: list[Any] = []
        try:
            for _, values in rows:
                column.append(read(values[place]))
        except Fault as fault:
            number = numbers[len(column)]
            fault.place = f"{source.unit} {number}, column {shown(name)}"
            raise
        found[into] = column
    return Values(numbers, found["texts"], found.get("labels"), found.get("weights"))
