"""``rowwise neighbors``: the words nearest to words."""

import click

from rowwise.cli.options import json_option, top_option
from rowwise.cli.output import echo_json, echo_table, one_line
from rowwise.cli.sources import VectorSource, vector_source
from rowwise.cli.words import near_words_named


@click.command(name="neighbors")
@vector_source
@click.argument("asked", nargs=-1, required=True, metavar="WORDS...")
@top_option
@json_option
def command(source: VectorSource, asked: tuple[str, ...], top: int, as_json: bool) -> None:
    """Print the words nearest to each of WORDS, by the cosine of their rows."""
    vectors = source.load(quiet=as_json)
    with near_words_named(vectors, asked):
        all_found = vectors.most_similar(list(asked), topn=top)
    for word, found in zip(asked, all_found, strict=True):
        if as_json:
            neighbors = [{"word": name, "cosine": round(cosine, 6)} for name, cosine in found]
            echo_json({"word": word, "neighbors": neighbors})
            continue
        if len(asked) > 1:
            click.echo(f"{one_line(word)}:")
        indent = "  " if len(asked) > 1 else ""
        echo_table([(name, f"{cosine:.3f}") for name, cosine in found], indent)
