"""``rowwise convert``: vectors from one format to another."""

from pathlib import Path

import click

from rowwise.cli.options import WholeNumber, json_option
from rowwise.cli.output import echo_json
from rowwise.cli.sources import VectorSource, noted, options_named, vector_source
from rowwise.errors import DataFileError


@click.command(name="convert")
@vector_source
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--format", "file_format", help="Format of TARGET, where its suffix does not tell.")
@click.option("--limit", type=WholeNumber(min=1), help="The most rows; the first are taken.")
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
@json_option
def command(
    source: VectorSource,
    target: Path,
    file_format: str | None,
    limit: int | None,
    only: Path | None,
    lowercase: bool,
    dtype: str,
    as_json: bool,
) -> None:
    """Read the vectors of SOURCE and write them to TARGET.

    The suffix of TARGET tells its format: .safetensors opens fastest.
    """
    from rowwise.text.wording import counted
    from rowwise.vectors.formats.word_list import read_words

    wanted = None if only is None else list(read_words(only))
    vectors = source.load(
        quiet=as_json,
        limit=limit,
        only=wanted,
        lowercase=lowercase,
        dtype=dtype,
    )
    if wanted is not None and not len(vectors):
        raise DataFileError(
            f"None of the {counted(len(wanted), 'word')} in {str(only)!r} is among the rows that "
            "were read; nothing was written. With --lowercase, --only is compared in lower case."
        )
    with noted(), options_named():
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
        size = f"{counted(len(vectors), 'word')} x {counted(vectors.dimension, 'column')}"
        click.echo(f"{target}: {size}.")
