"""What several commands print."""

import json
from collections.abc import Sequence
from typing import Any

import click


def echo_json(value: Any) -> None:
    """Print ``value`` as one line of JSON."""
    click.echo(json.dumps(value, ensure_ascii=False))


def echo_table(rows: Sequence[Sequence[str]], indent: str = "") -> None:
    """Print rows of cells: the first column flush left after ``indent``, the others flush right."""
    from rich.cells import cell_len  # Chinese and emoji are two cells wide

    rows = [[one_line(cell) for cell in row] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    for first, *others in rows:
        cells = [indent + first + " " * (widths[0] - cell_len(first))]
        cells += [f"{cell:>{width}}" for cell, width in zip(others, widths[1:], strict=True)]
        click.echo("  ".join(cells))


def one_line(text: str) -> str:
    """``text`` without line breaks and tabs, which would break up what is printed."""
    return " ".join(text.split())


def percent(share: float) -> str:
    """A share of 1 as a person reads it."""
    return f"{100 * share:.1f} %"
