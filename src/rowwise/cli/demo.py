"""``rowwise demo``: the whole way on the reviews that come with rowwise."""

import shlex
import shutil
import sys
from importlib.resources import as_file, files
from pathlib import Path

import click

from rowwise.cli.options import WholeNumber
from rowwise.cli.output import echo_json
from rowwise.cli.train import check_can_write, echo_report, run
from rowwise.files import atomic_path


@click.command(name="demo")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("demo"),
    show_default=True,
    help="Folder for the run.",
)
@click.option("--seed", type=WholeNumber(min=0, max=2**32 - 1), default=0, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, and no progress bar.")
def command(output: Path, seed: int, as_json: bool) -> None:
    """Train a classifier on short reviews, and print what it learned.

    The reviews are left in the folder, too, to try the other commands on.
    """
    check_can_write(output)
    from dataclasses import asdict

    from rowwise.text import read_examples

    output.mkdir(parents=True, exist_ok=True)
    with (
        as_file(files("rowwise.data") / "reviews.csv") as path,
        atomic_path(output / "reviews.csv") as copy,
    ):
        shutil.copyfile(path, copy)
    examples = read_examples(output / "reviews.csv", text="text", label="label")
    if not as_json:
        click.echo(f"{len(examples.texts)} short reviews, written for rowwise.")
    report = run(examples, output, test_share=0.2, seed=seed, quiet=as_json)
    from rowwise.classify import load_model
    from rowwise.classify.run import telling_words

    classifier = load_model(output / "model.keras")
    vectors = classifier.word_vectors()
    nearest = {
        word: [neighbor for neighbor, _ in vectors.most_similar(word, topn=5)]
        for word in telling_words(classifier, 6)
    }
    if as_json:
        echo_json({**asdict(report), "folder": str(output), "nearest": nearest})
        return
    echo_report(report, output)
    click.echo("Words that tell most, and the words nearest to them:")
    for word, neighbors in nearest.items():
        click.echo(f"  {word:<12} {', '.join(neighbors)}")
    example = [str(output), "The soup was cold and the waiter rude."]
    click.echo(f"Try: {shlex.join([*program(), 'predict', *example])}")


def program() -> list[str]:
    """The words that start this program once more, from the same folder."""
    started = Path(sys.argv[0])
    if started.name == "__main__.py":
        return [sys.executable, "-m", "rowwise"]
    found = shutil.which(started.name)
    if found is not None and Path(found).resolve() == started.resolve():
        return [started.name]
    return [sys.argv[0]]
