"""Arguments that several commands take."""

import click

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
