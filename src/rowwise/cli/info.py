"""``rowwise info``: what a file of vectors or a model holds."""

from typing import TYPE_CHECKING, Any

import click

from rowwise.cli.options import json_option
from rowwise.cli.output import echo_json, one_line
from rowwise.cli.sources import VectorSource, vector_source

if TYPE_CHECKING:
    from rowwise.vectors import Vectors

# Words that are shown, and rows whose lengths are looked at.
_SHOWN = 8
_SAMPLE = 10_000


@click.command(name="info")
@vector_source
@json_option
def command(source: VectorSource, as_json: bool) -> None:
    """Print what SOURCE holds: format, words, columns, subwords, and what is odd."""
    found = describe(source.load(quiet=as_json))
    if as_json:
        echo_json(found)
        return
    rows = [
        ("format", found["format"] + (f", {found['packed']}" if found["packed"] else "")),
        *([("member", found["member"])] if found["member"] else []),
        ("words", f"{found['words']:,}"),
        ("columns", str(found["columns"])),
        ("subwords", "yes" if found["subwords"] else "no"),
        ("first words", "  ".join(one_line(word) or repr(word) for word in found["first_words"])),
        ("mean length", "-" if found["mean_length"] is None else f"{found['mean_length']:.3f}"),
    ]
    if found["not_finite"]:
        of_first = f" of the first {_SAMPLE:,}" if found["words"] > _SAMPLE else ""
        rows.append(("not finite", f"{found['not_finite']:,}{of_first}"))
    for name, odd in found["odd"].items():
        lines = ", ".join(str(line) for line, _ in odd["examples"][:5])
        rows.append((name, f"{odd['count']:,} (line {lines}{', ...' if odd['count'] > 5 else ''})"))
    for name, value in rows:
        click.echo(f"{name:<12} {value}")
    for note in found["notes"]:
        click.echo(note)


def describe(vectors: "Vectors") -> dict[str, Any]:
    """What is printed of loaded vectors."""
    import numpy as np

    report = vectors.report
    assert report is not None  # as of all that was loaded
    some = vectors.words[:_SAMPLE]
    every = [float(np.linalg.norm(vectors[word].astype(np.float64))) for word in some]
    lengths = [length for length in every if np.isfinite(length)]
    return {
        "format": report.format,
        "packed": report.packed,
        "member": report.member,
        "words": len(vectors),
        "columns": vectors.dimension,
        "subwords": vectors.subwords is not None,
        "first_words": list(vectors.words[:_SHOWN]),
        "mean_length": sum(lengths) / len(lengths) if lengths else None,
        "not_finite": len(every) - len(lengths),
        "odd": {
            name: {"count": kind.count, "examples": kind.examples[:20]}
            for name, kind in report.kinds().items()
            if kind
        },
        "notes": report.notes,
    }
