"""``rowwise convert``: vectors from one format to another."""

import sys
from pathlib import Path

import click

from rowwise.cli.options import json_option
from rowwise.cli.output import echo_json
from rowwise.cli.sources import (
    load_vectors,
    member_option,
    noted,
    strict_option,
    unpickle_option,
    words_option,
)


@click.command(name="convert")
@click.argument("source")
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--format", "file_format", help="Format of TARGET, where its suffix does not tell.")
@click.option("--limit", type=click.IntRange(min=1), help="The most rows; the first are taken.")
@click.option(
    "--only",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File with a word a line: other rows are left out.",
)
@click.option("--lowercase", is_flag=True, help="Make words lower case.")
@click.option(
    "--dtype",
    type=click.Choice(["float16", "float32", "float64"]),
    default="float32",
    show_default=True,
    help="Kind of the numbers.",
)
@member_option
@words_option
@strict_option
@unpickle_option
@json_option
def command(
    source: str,
    target: Path,
    file_format: str | None,
    limit: int | None,
    only: Path | None,
    lowercase: bool,
    dtype: str,
    member: str | None,
    words: str | None,
    strict: bool,
    unpickle: bool,
    as_json: bool,
) -> None:
    """Read the vectors of SOURCE and write them to TARGET.

    SOURCE is a file of vectors of any kind, packed or not, an https address, a well-known name
    such as glove.6B.100d, a trained model (.keras) or a folder that `rowwise train` wrote. The
    suffix of TARGET tells its format: .safetensors opens fastest.
    """
    from rowwise.vectors.formats.word_list import read_words

    wanted = None if only is None else list(read_words(only))
    vectors = load_vectors(
        source,
        member=member,
        words=words,
        limit=limit,
        only=wanted,
        lowercase=lowercase,
        dtype=dtype,
        strict=strict,
        unpickle=unpickle,
        progress=sys.stderr.isatty() and not as_json,
    )
    with noted():
        vectors.save(target, format=file_format)
    if as_json:
        report = vectors.report
        echo_json(
            {
                "target": str(target),
                "words": len(vectors),
                "columns": vectors.dimension,
                "format": None if report is None else report.format,
            }
        )
    else:
        click.echo(f"{target}: {len(vectors):,} words x {vectors.dimension} columns.")
