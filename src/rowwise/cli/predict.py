"""``rowwise predict``: labels for texts."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rowwise.cli.models import load_classifier
from rowwise.cli.options import format_option
from rowwise.cli.output import echo_json, one_line

if TYPE_CHECKING:
    from rowwise.classify import TextClassifier


@click.command(name="predict")
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("texts", nargs=-1)
@click.option("--file", help="Read the texts from a file instead; - is standard input.")
@click.option(
    "--text",
    help="Column of the texts in a CSV, TSV, JSON Lines or Parquet file. Without it, every line "
    "is a text.",
)
@format_option
@click.option("--json", "as_json", is_flag=True, help="Print a line of JSON for every text.")
def command(
    model: Path,
    texts: tuple[str, ...],
    file: str | None,
    text: str | None,
    file_format: str | None,
    as_json: bool,
) -> None:
    """Print the label of each of TEXTS, how probable it is, and the text.

    MODEL is a .keras file or a folder that `rowwise train` wrote. "-" as the only text reads
    standard input, one text a line.
    """
    if texts == ("-",) and file is None:
        texts, file = (), "-"
    if (file is None) == (not texts):
        raise click.UsageError("Give texts as arguments, or --file FILE, or - for standard input.")
    given = list(texts) if file is None else _read(file, text, file_format)
    if file is None:
        _check_arguments(texts, text or file_format)
    classifier = load_classifier(model)
    classes = [str(label) for label in classifier.classes_]
    for line, shares in zip(given, classifier.predict_proba(given), strict=True):
        best = int(shares.argmax())
        if as_json:
            by_label = {name: round(float(s), 6) for name, s in zip(classes, shares, strict=True)}
            echo_json({"text": line, "label": classes[best], "probabilities": by_label})
        else:
            click.echo(f"{one_line(classes[best])}\t{shares[best]:.3f}\t{one_line(line)}")
    if blank := _without_known_word(classifier, given):
        from rowwise.text.wording import counted

        click.echo(
            f"Note: {counted(blank, 'text')} of {len(given):,} without any word that the model "
            "knows: a label there is a guess.",
            err=True,
        )


def _without_known_word(classifier: "TextClassifier", texts: list[str]) -> int:
    words = classifier.splitter_.split_all(texts).to_lists()
    return sum(not any(word in classifier.vocabulary_ for word in of_text) for of_text in words)


def _read(file: str, text: str | None, file_format: str | None) -> list[str]:
    from rowwise.text.examples import format_of, read_examples, read_texts

    if text is not None:
        return read_examples(file, text=text, format=file_format).texts
    kind = file_format or format_of(file)
    if kind and (file == "-" or os.path.exists(file)):
        raise click.UsageError(f"{file!r} is a {kind} file: name its column of texts with --text.")
    return read_texts(file)


def _check_arguments(texts: tuple[str, ...], column_or_format: str | None) -> None:
    if column_or_format is not None:
        raise click.UsageError("--text and --format say how to read --file, which is missing.")
    for number, text in enumerate(texts, start=1):
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise click.UsageError(f"Text {number} is not UTF-8: {text!a}.") from error
    if len(texts) == 1 and os.path.isfile(texts[0]):
        click.echo(f"Note: {texts[0]!r} is taken as a text. For the file: --file.", err=True)
