"""``rowwise train``: from a file of texts and labels to a run folder."""

import os
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rowwise.cli.options import Number, WholeNumber, format_option, label_option, text_option
from rowwise.cli.output import echo_json, percent
from rowwise.cli.sources import VectorSource
from rowwise.errors import DataFileError, MissingExtraError

if TYPE_CHECKING:
    from rowwise.classify import RunReport
    from rowwise.text import ExampleFiles, Examples

# Share of the training texts that measures every epoch.
VALIDATION_SHARE = 0.1
# From here on a file stays on the disk while the model trains. In memory its texts, their words and
# ids take about eight times as much.
LARGE_BYTES = 1 << 28
# About how much larger texts are than a file that they are packed in.
PACKED = 4


@click.command(name="train")
@click.argument("file")
@text_option
@label_option
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), help="Folder for the run."
)
@format_option
@click.option(
    "--head",
    type=click.Choice(["pooled", "lstm", "cnn"]),
    default="pooled",
    show_default=True,
    help="What reads the words' rows.",
)
@click.option("--epochs", type=WholeNumber(min=1), help="How often every text is seen.")
@click.option(
    "--max-words",
    type=WholeNumber(min=3),
    help="Words of the vocabulary at most, the most frequent ones.",
)
@click.option(
    "--vectors", help="Word vectors that the table starts with: a file, an address, a name."
)
@click.option("--freeze", is_flag=True, help="Do not train the rows of --vectors.")
@click.option("--balanced", is_flag=True, help="Give every label the same say.")
@click.option(
    "--test-share",
    type=Number(0, 1, min_open=True, max_open=True),
    default=0.2,
    show_default=True,
    help="Share of the texts to measure on.",
)
@click.option(
    "--patience",
    type=WholeNumber(min=1),
    help="Stop after so many epochs without a better validation loss.",
)
@click.option(
    "--seed",
    type=WholeNumber(min=0, max=2**32 - 1),
    default=0,
    show_default=True,
    help="The same seed gives the same model.",
)
@click.option(
    "--stream/--no-stream",
    default=None,
    help="Read the file block by block while the model trains, or into memory; by default large "
    "files block by block.",
)
@click.option("--quiet", is_flag=True, help="No progress bar.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, and no progress bar.")
def command(
    file: str,
    text: str,
    label: str,
    output: Path,
    file_format: str | None,
    head: str,
    epochs: int | None,
    max_words: int | None,
    vectors: str | None,
    freeze: bool,
    balanced: bool,
    test_share: float,
    patience: int | None,
    seed: int,
    stream: bool | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """Train a classifier on FILE: CSV, TSV, JSON Lines or Parquet; - is standard input.

    --test-share of the texts is kept out to measure the result, and a tenth of the others to
    measure every epoch. The folder gets the model, metrics, the history, a loss curve, a
    confusion matrix, a map of words, and report.html, a page with all of it and the surest
    mistakes; those of an earlier run are replaced.

    A file of more than 256 MB is read block by block while the model trains. Memory then grows
    with the number of different words only, of which --max-words keeps the most frequent.
    """
    if freeze and vectors is None:
        raise click.UsageError("--freeze keeps the rows of --vectors, which is missing.")
    if stream and file == "-":
        raise click.UsageError("Standard input is read only once: leave out --stream.")
    check_can_read(file)
    check_can_write(output)
    options: dict[str, Any] = {"head": head, "patience": patience, "max_words": max_words}
    if epochs is not None:
        options["epochs"] = epochs
    if balanced:
        options["class_weight"] = "balanced"
    quiet = quiet or as_json
    columns = {"text": text, "label": label, "format": file_format}
    is_found = is_large(file) if stream is None else stream
    if is_found:  # which may take minutes
        import rowwise.backend  # noqa: F401  (without a backend there is nothing to train)
    data = (_find if is_found else _read)(file, quiet=quiet, **columns)
    if vectors is not None:
        loaded = VectorSource(vectors).load(quiet=quiet)
        options |= {"vectors": loaded, "train_vectors": not freeze}
    report = run(data, output, test_share=test_share, seed=seed, quiet=quiet, **options)
    if as_json:
        echo_json({**asdict(report), "folder": str(output)})
    else:
        echo_report(report, output)


def is_large(file: str) -> bool:
    """Whether a file had better not be read into memory."""
    try:
        size = os.path.getsize(file)
    except OSError:
        return False  # standard input, or a file that whoever reads it says is missing
    is_packed = Path(file).suffix.lower() in (".gz", ".parquet", ".pq")
    return size * (PACKED if is_packed else 1) > LARGE_BYTES


def _read(file: str, *, quiet: bool, **columns: Any) -> "Examples":
    """Texts and labels in memory."""
    from rowwise.text.examples import check_labels, read_examples

    del quiet  # it is read in no time
    examples = read_examples(file, **columns)
    check_labels(examples.labels or [], file, each=2)
    if not any(map(str.strip, examples.texts)):
        raise DataFileError(f"{file!r}: all texts are empty. Name another column with --text.")
    return examples


def _find(file: str, *, quiet: bool, **columns: Any) -> "ExampleFiles":
    """Texts and labels that stay in the file, and a note that says so."""
    from rowwise.text import ExampleFiles
    from rowwise.text.examples import check_labels

    files = ExampleFiles(file, progress=sys.stderr.isatty() and not quiet, **columns)
    check_labels(files.class_counts, file, each=2)
    size = f"{files.size / 1e6:,.0f} MB" if files.size >= 1e6 else f"{files.size:,} bytes"
    click.echo(
        f"Note: {file!r} ({size}, {_texts(len(files))}) is read block by block while the model "
        "trains, not into memory.",
        err=True,
    )
    return files


def run(
    data: "Examples | ExampleFiles",
    output: Path,
    *,
    test_share: float,
    seed: int,
    quiet: bool,
    patience: int | None = None,
    **options: Any,
) -> "RunReport":
    """Train with a progress bar; what ``train`` and ``demo`` share."""
    from rowwise.text import Examples

    counts = Counter(data.labels) if isinstance(data, Examples) else data.class_counts
    validation = VALIDATION_SHARE if can_validate(counts, test_share) else 0.0
    if patience is not None and not validation:
        raise click.UsageError(
            "--patience looks at the validation loss, and there are too few texts of a label to "
            "keep some out for validation. Leave it out, or add examples."
        )
    from rowwise.classify import TextClassifier, train_run, train_run_files
    from rowwise.cli.progress import ProgressBar

    with ProgressBar() as bar:
        classifier = TextClassifier(
            validation_split=validation,
            patience=patience,
            random_state=seed,
            callbacks=[] if quiet else [bar],
            **options,
        )
        divided: dict[str, Any] = {"test_share": test_share, "seed": seed}
        if isinstance(data, Examples):
            return train_run(classifier, data.texts, data.labels or [], output, **divided)
        told = sys.stderr.isatty() and not quiet
        return train_run_files(classifier, data, output, progress=told, **divided)


def check_can_read(file: str) -> None:
    """Raise a DataFileError, before Keras is loaded, where there is no such file."""
    if file != "-" and not Path(file).exists():
        raise DataFileError(f"{file!r}: there is no such file. Check the path.")


def check_can_write(folder: Path) -> None:
    """Make sure, before hours of training, that a run can be drawn and written to ``folder``.

    Raises:
        MissingExtraError: matplotlib is not installed.
        click.UsageError: the folder is a file, or it cannot be made or written to.
    """
    there = folder
    while not there.exists() and there != there.parent:
        there = there.parent
    if not there.is_dir():
        raise click.UsageError(f"{str(there)!r} is a file; --output must name a folder.")
    if not os.access(there, os.W_OK | os.X_OK):
        raise click.UsageError(f"No permission to write to the folder {str(there)!r}.")
    if find_spec("matplotlib") is None:
        raise MissingExtraError("Drawing the curves and maps of a run", "matplotlib", "plot")


def can_validate(labels: Iterable[str] | Mapping[str, int], test_share: float) -> bool:
    """Whether the training texts can be divided once more so that each side has each label.

    Args:
        labels: of all texts, or how many texts each label has.
        test_share: of the texts, which are not trained on.
    """
    counts = Counter(labels)
    training = counts.total() * (1 - test_share)
    rarest = int(min(counts.values()) * (1 - test_share))
    return rarest >= 2 and int(training * VALIDATION_SHARE) >= len(counts)


def echo_report(report: "RunReport", output: Path) -> None:
    """Print what a run measured and where everything is."""
    click.echo(f"{_texts(report.train_texts)} to train on, {report.words:,} words.")
    click.echo(
        f"Accuracy on {_texts(report.test_texts, 'other ')}: {percent(report.accuracy)} "
        f"(always the most frequent label: {percent(report.majority)}); "
        f"macro F1 {percent(report.macro_f1)}."
    )
    click.echo(f"Everything is in the folder {output}:")
    click.echo(f"  {'  '.join(sorted(path.name for path in output.iterdir() if path.is_file()))}")


def _texts(count: int, kind: str = "") -> str:
    return f"{count:,} {kind}text{'s' * (count != 1)}"
