"""``rowwise evaluate``: how good a classifier is on a file of texts and labels."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from rowwise.cli.models import load_classifier
from rowwise.cli.options import format_option, json_option, label_option, text_option
from rowwise.cli.output import echo_json, echo_table, one_line, percent


@click.command(name="evaluate")
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("file")
@text_option
@label_option
@format_option
@json_option
def command(
    model: Path, file: str, text: str, label: str, file_format: str | None, as_json: bool
) -> None:
    """Measure MODEL, a .keras file or a run folder, on FILE.

    FILE is CSV, TSV, JSON Lines or Parquet; - is standard input. A label that the model does not
    know counts as wrong.
    """
    from rowwise.text import read_examples

    examples = read_examples(file, text=text, label=label, format=file_format)
    labels = examples.labels or []
    classifier = load_classifier(model)
    predicted = [str(name) for name in classifier.predict(examples.texts)]
    known = {str(name) for name in classifier.classes_}
    result = measure(labels, predicted) | {"unknown_labels": sorted(set(labels) - known)}
    if as_json:
        echo_json(result)
    else:
        _print(result)


def measure(labels: Sequence[str], predicted: Sequence[str]) -> dict[str, Any]:
    """Accuracy, the mean of the labels' F1, and precision, recall and F1 of each label.

    Labels are those that a text has or was given; a figure that would divide by zero is zero.
    """
    from sklearn.metrics import precision_recall_fscore_support

    names = sorted({*labels, *predicted})
    figures = precision_recall_fscore_support(labels, predicted, labels=names, zero_division=0)
    by_label = {
        name: {
            "texts": int(support),
            "precision": float(precision),
            "recall": float(recall),
            "f1": float(f1),
        }
        for name, precision, recall, f1, support in zip(names, *figures, strict=True)
    }
    right = sum(label == found for label, found in zip(labels, predicted, strict=True))
    return {
        "texts": len(labels),
        "accuracy": right / len(labels),
        "macro_f1": sum(of_label["f1"] for of_label in by_label.values()) / len(names),
        "labels": by_label,
    }


def _print(result: dict[str, Any]) -> None:
    click.echo(
        f"{result['texts']:,} texts, accuracy {percent(result['accuracy'])}, "
        f"macro F1 {percent(result['macro_f1'])}"
    )
    rows = [("label", "texts", "precision", "recall", "F1")]
    rows += [
        (
            name,
            f"{of_label['texts']:,}",
            *(percent(of_label[key]) for key in ("precision", "recall", "f1")),
        )
        for name, of_label in result["labels"].items()
    ]
    echo_table(rows)
    if unknown := result["unknown_labels"]:
        shown = ", ".join(
            f"{one_line(name)} ({result['labels'][name]['texts']})" for name in unknown
        )
        click.echo(f"Note: wrong in any case, since the model never saw them: {shown}.", err=True)
