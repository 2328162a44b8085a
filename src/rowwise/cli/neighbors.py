"""``rowwise neighbors``: the words nearest to a word."""

from collections.abc import Sequence
from pathlib import Path

import click

from rowwise.cli.models import model_path
from rowwise.cli.options import json_option
from rowwise.cli.output import echo_json, echo_table
from rowwise.errors import UnknownWordError


@click.command(name="neighbors")
@click.argument("model_or_file", type=click.Path(path_type=Path))
@click.argument("word")
@click.option(
    "-n",
    "--top",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    help="How many words to print.",
)
@json_option
def command(model_or_file: Path, word: str, top: int, as_json: bool) -> None:
    """Print the words nearest to WORD, by the cosine of their rows.

    MODEL_OR_FILE is a trained model (.keras), a folder that `rowwise train` wrote, or a file of
    word vectors.
    """
    path = model_path(model_or_file)
    from rowwise.vectors import Vectors

    vectors = Vectors.load(path)
    try:
        found = vectors.most_similar(word, topn=top)
    except UnknownWordError as error:
        near = [] if word.lower() in vectors else near_spellings(word, vectors.words)
        hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
        raise UnknownWordError(f"{error}{hint}") from error
    if as_json:
        neighbors = [{"word": name, "cosine": round(cosine, 6)} for name, cosine in found]
        echo_json({"word": word, "neighbors": neighbors})
    elif found:
        echo_table([(name, f"{cosine:.3f}") for name, cosine in found])


def near_spellings(word: str, words: Sequence[str]) -> list[str]:
    """At most three of ``words`` that are spelt nearly as ``word``, the nearest first."""
    from difflib import get_close_matches

    # Comparing with every word of a big file would take many seconds, and a slip of the finger
    # seldom changes the length by more than two, or the first letter and the last.
    likely = [
        other
        for other in words
        if abs(len(other) - len(word)) <= 2 and (other[:1] == word[:1] or other[-1:] == word[-1:])
    ]
    return get_close_matches(word, likely, n=3, cutoff=0.7)
