"""``rowwise benchmark``: how good words' rows are, on files of pairs and of analogies."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rowwise.cli.options import WholeNumber, json_option, method_option
from rowwise.cli.output import echo_json, echo_table, percent
from rowwise.cli.sources import VectorSource, vector_source

if TYPE_CHECKING:
    from rowwise.vectors.evaluation import AnalogyReport, SimilarityReport


@click.command(name="benchmark")
@vector_source
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--limit", type=WholeNumber(min=1), help="Look at the first so many words only.")
@click.option(
    "--ignore-case/--match-case",
    default=None,
    help="Whether a word may stand for another in capitals; by default for analogies only.",
)
@method_option
@json_option
def command(
    source: VectorSource,
    files: tuple[Path, ...],
    limit: int | None,
    ignore_case: bool | None,
    method: str,
    as_json: bool,
) -> None:
    """Measure the rows of words on FILES of word pairs or of analogies.

    Of pairs with human scores (word word score: WordSim353, SimLex-999, MEN) Spearman's rank
    correlation is printed; of analogies (a b c d: questions-words.txt) the share solved of each
    section. Only what has rows counts.
    """
    from rowwise.vectors.benchmarks import read_benchmark

    for file in files:
        read_benchmark(file)  # a bad one is named before a large file of vectors is read
    vectors = source.load(quiet=as_json)
    reports = [
        vectors.evaluate(file, limit=limit, ignore_case=ignore_case, method=method)
        for file in files
    ]
    if as_json:
        for report in reports:
            echo_json(as_dict(report))
        return
    rows = [("file", "figure", "covered", "of")]
    for report in reports:
        rows += _rows(report)
    echo_table(rows)


def as_dict(report: "SimilarityReport | AnalogyReport") -> dict[str, Any]:
    """The figures of a report, for JSON."""
    figures = asdict(report)
    if "sections" in figures:
        parts = [*zip(report.sections, figures["sections"], strict=True)]  # type: ignore[union-attr]
        for part, values in [*parts, (report.total, figures["total"])]:  # type: ignore[union-attr]
            values["accuracy"] = part.accuracy
    return figures


def _rows(report: "SimilarityReport | AnalogyReport") -> list[tuple[str, str, str, str]]:
    from rowwise.vectors.evaluation import SimilarityReport

    if isinstance(report, SimilarityReport):
        figure = "-" if report.spearman is None else f"{report.spearman:.3f}"
        return [(report.name, figure, f"{report.covered:,}", f"{report.pairs:,}")]
    rows = []
    for part in (report.total, *report.sections):
        name = report.name if part is report.total else f"  {part.name}"
        figure = "-" if part.accuracy is None else percent(part.accuracy)
        rows.append((name, figure, f"{part.covered:,}", f"{part.questions:,}"))
    return rows
