"""Arguments that several commands take."""

import click


class WholeNumber(click.IntRange):
    """As click's, by a name that messages and help can show."""

    name = "whole number"


class Number(click.FloatRange):
    """As click's, by a name that messages and help can show."""

    name = "number"


format_option = click.option(
    "--format",
    "file_format",
    type=click.Choice(["csv", "tsv", "jsonl", "parquet"]),
    help="Format of the file, where its suffix does not tell.",
)
text_option = click.option(
    "--text", required=True, help="Column of the texts; its number in a file without a header."
)
label_option = click.option("--label", required=True, help="Column of the labels, or its number.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
top_option = click.option(
    "-n",
    "--top",
    type=WholeNumber(min=1),
    default=10,
    show_default=True,
    help="How many words to print.",
)
method_option = click.option(
    "--method",
    type=click.Choice(["add", "mul"]),
    default="add",
    show_default=True,
    help="For sums of words: cosine with the sum (3CosAdd), or product of cosines (3CosMul).",
)
