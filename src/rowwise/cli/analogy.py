"""``rowwise analogy``: the words nearest to a sum of words."""

from pathlib import Path

import click

from rowwise.cli.options import json_option, method_option, top_option
from rowwise.cli.output import echo_json, echo_table
from rowwise.cli.words import load_vectors, near_words_named


@click.command(name="analogy")
@click.argument("model_or_file", type=click.Path(path_type=Path))
@click.argument("formula")
@top_option
@method_option
@json_option
def command(model_or_file: Path, formula: str, top: int, method: str, as_json: bool) -> None:
    """Print the words nearest to a sum of words, as in "king - man + woman".

    Put FORMULA into quotes; within it, words that hold spaces or signs stand in quotes of the
    other kind. MODEL_OR_FILE is a trained model (.keras), a folder that `rowwise train` wrote, or
    a file of word vectors.
    """
    from rowwise.vectors.formulas import parse_formula

    positive, negative = parse_formula(formula)  # before a large file is read
    vectors = load_vectors(model_or_file)
    with near_words_named(vectors, [*positive, *negative]):
        found = vectors.analogy(formula, topn=top, method=method)
    if as_json:
        words = [{"word": name, "score": round(score, 6)} for name, score in found]
        echo_json({"formula": formula, "method": method, "words": words})
    elif found:
        echo_table([(name, f"{score:.3f}") for name, score in found])
