"""``rowwise analogy``: the words nearest to a sum of words."""

import click

from rowwise.cli.options import json_option, method_option, top_option
from rowwise.cli.output import echo_json, echo_table
from rowwise.cli.sources import VectorSource, vector_source
from rowwise.cli.words import near_words_named


@click.command(name="analogy")
@vector_source
@click.argument("formula")
@top_option
@method_option
@json_option
def command(source: VectorSource, formula: str, top: int, method: str, as_json: bool) -> None:
    """Print the words nearest to a sum of words, as in "king - man + woman".

    Put FORMULA into quotes; within it, words that hold spaces or signs stand in quotes of the
    other kind.
    """
    from rowwise.vectors.formulas import parse_formula

    positive, negative = parse_formula(formula)  # before a large file is read
    vectors = source.load(quiet=as_json)
    with near_words_named(vectors, [*positive, *negative]):
        found = vectors.analogy(formula, topn=top, method=method)
    if as_json:
        words = [{"word": name, "score": round(score, 6)} for name, score in found]
        echo_json({"formula": formula, "method": method, "words": words})
    elif found:
        echo_table([(name, f"{score:.3f}") for name, score in found])
