"""``rowwise neighbors``: the words nearest to a word."""

from pathlib import Path

import click

from rowwise.cli.options import json_option, top_option
from rowwise.cli.output import echo_json, echo_table
from rowwise.cli.words import load_vectors, near_words_named


@click.command(name="neighbors")
@click.argument("model_or_file", type=click.Path(path_type=Path))
@click.argument("word")
@top_option
@json_option
def command(model_or_file: Path, word: str, top: int, as_json: bool) -> None:
    """Print the words nearest to WORD, by the cosine of their rows.

    MODEL_OR_FILE is a trained model (.keras), a folder that `rowwise train` wrote, or a file of
    word vectors.
    """
    vectors = load_vectors(model_or_file)
    with near_words_named(vectors, [word]):
        found = vectors.most_similar(word, topn=top)
    if as_json:
        neighbors = [{"word": name, "cosine": round(cosine, 6)} for name, cosine in found]
        echo_json({"word": word, "neighbors": neighbors})
    elif found:
        echo_table([(name, f"{cosine:.3f}") for name, cosine in found])
