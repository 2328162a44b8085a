"""``report.html``: a run on one page, to be read and printed."""

from base64 import b64encode
from collections.abc import Iterable, Mapping
from html import escape
from importlib.resources import files
from typing import Any

from rowwise import __version__
from rowwise.classify.judging import Judgement, Mistake
from rowwise.viz.figures import figure_bytes

# Characters of a mistake's text that are shown; more are cut.
_MOST_CHARACTERS = 600


def report_page(judgement: Judgement, figures: Mapping[str, Any], seed: int) -> str:
    """The page, whole in itself: no script, nothing loaded.

    Args:
        judgement: what was found.
        figures: matplotlib figures ``"history.png"``, ``"confusion.png"`` and perhaps
            ``"words.png"``.
        seed: of the division into training and test texts.
    """
    style = (files("rowwise.classify") / "report.css").read_text(encoding="utf-8")
    parts = [
        f"<h1>{_title(judgement)}</h1>",
        _figures_of_merit(judgement),
        "<h2>Data</h2>",
        _data(judgement, seed),
        "<h2>Course of training</h2>",
        _picture(figures["history.png"], "Loss and accuracy by epoch"),
        "<h2>What was taken for what</h2>",
        _label_table(judgement),
        _picture(figures["confusion.png"], "Counts of true and predicted labels"),
        "<h2>The surest mistakes</h2>",
        _mistakes(judgement.mistakes(), int(judgement.is_wrong.sum())),
    ]
    if "words.png" in figures:
        parts += ["<h2>Words</h2>", _picture(figures["words.png"], "A map of words")]
    parts.append(_made_by(judgement))
    body = "\n".join(parts)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "img-src data:; style-src 'unsafe-inline'\">\n"
        f"<title>{_title(judgement)}</title>\n"
        f'<link rel="icon" href="data:,">\n<style>\n{style}</style>\n</head>\n'
        f"<body>\n{body}\n</body>\n</html>\n"
    )


def _title(judgement: Judgement) -> str:
    names = [label.name for label in judgement.labels]
    shown = ", ".join(names[:4]) + (f" and {len(names) - 4:,} more" if names[4:] else "")
    return escape(f"Texts as {shown}")


def _figures_of_merit(judgement: Judgement) -> str:
    cells = [
        ("accuracy", f"{100 * judgement.accuracy:.1f} %"),
        ("macro F1", f"{judgement.macro_f1:.3f}"),
        ("always the most frequent label", f"{100 * judgement.majority:.1f} %"),
        ("test texts", f"{judgement.test_size:,}"),
    ]
    items = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in cells)
    return f'<dl class="merit">{items}</dl>'


def _data(judgement: Judgement, seed: int) -> str:
    classifier, lengths = judgement.classifier, judgement.lengths
    vocabulary = classifier.vocabulary_
    lines = [
        ("training texts", f"{judgement.train_size:,}"),
        ("test texts", f"{judgement.test_size:,}, chosen by label with seed {seed}"),
        (
            "words of a text",
            f"{lengths.median:g} in the middle, {lengths.longest:,} at most; the first "
            f"{classifier.max_length_:,} are looked at, which cuts {_share(lengths.cut)} of the "
            "texts",
        ),
        ("vocabulary", f"{len(vocabulary):,} ids, padding and unknown among them"),
        ("unknown words in test texts", _share(judgement.unknown)),
    ]
    coverage = getattr(classifier, "coverage_", None)
    if coverage is not None:
        running = coverage.running_words
        text = f"{_share(coverage.types)} of the vocabulary"
        if running is not None:
            text += f", {_share(running)} of all words of the training texts"
        lines.append(("words with a row in the vectors", text))
    return _table(None, lines)


def _label_table(judgement: Judgement) -> str:
    return _table(
        ("label", "training texts", "test texts", "precision", "recall", "F1"),
        [
            (
                label.name,
                f"{label.train:,}",
                f"{label.test:,}",
                f"{label.precision:.3f}",
                f"{label.recall:.3f}",
                f"{label.f1:.3f}",
            )
            for label in judgement.labels
        ],
        "labels",
    )


def _mistakes(mistakes: list[Mistake], wrong: int) -> str:
    if not mistakes:
        return "<p>There are none: all test texts got their labels.</p>"
    said = (
        f"{len(mistakes):,} of {wrong:,} wrong prediction{'s' * (wrong != 1)}, those the "
        "classifier was surest of. Words on a green ground speak for the predicted label, those on "
        "orange against it: that is how much its probability falls or rises without the word."
    )
    rows = [
        "<tr><th>predicted</th><th>true</th><th>text</th></tr>",
        *(
            f"<tr><td>{escape(str(one.explanation.label))} "
            f"{100 * float(one.explanation.probabilities.max()):.0f}\N{NO-BREAK SPACE}%</td>"
            f"<td>{escape(one.true)}</td><td>{_marked(one)}</td></tr>"
            for one in mistakes
        ),
    ]
    return f'<p>{said}</p>\n<table class="mistakes">{"".join(rows)}</table>'


def _marked(mistake: Mistake) -> str:
    """The text, with a ground under each word that counts."""
    text, words = mistake.text, mistake.explanation.words
    most = max((abs(word.share) for word in words), default=0.0)
    parts, done = [], 0
    for word in words:
        if word.start >= _MOST_CHARACTERS:
            break
        parts.append(escape(text[done : word.start]))
        shown = escape(text[word.start : min(word.end, _MOST_CHARACTERS)])
        if most > 0 and abs(word.share) > 0.05 * most:
            kind = "for" if word.share > 0 else "against"
            strength = 0.6 * abs(word.share) / most
            shown = (
                f'<mark class="{kind}" style="--strength: {strength:.2f}" '
                f'title="{100 * word.share:+.1f} %">{shown}</mark>'
            )
        parts.append(shown)
        done = word.end
    parts.append(escape(text[done:_MOST_CHARACTERS]))
    return "".join(parts) + ("…" if len(text) > _MOST_CHARACTERS else "")


def _table(head: Iterable[str] | None, rows: Iterable[Iterable[str]], kind: str = "figures") -> str:
    lines = []
    if head is not None:
        lines.append("<tr>" + "".join(f"<th>{escape(one)}</th>" for one in head) + "</tr>")
    for first, *others in rows:
        cells = "".join(f"<td>{escape(one)}</td>" for one in others)
        lines.append(f'<tr><th scope="row">{escape(first)}</th>{cells}</tr>')
    return f'<table class="{kind}">{"".join(lines)}</table>'


def _picture(figure: Any, says: str) -> str:
    data = b64encode(figure_bytes(figure, "svg")).decode()
    return f'<img src="data:image/svg+xml;base64,{data}" alt="{escape(says)}">'


def _made_by(judgement: Judgement) -> str:
    given = judgement.classifier.get_params(deep=False)
    chosen = ", ".join(
        f"{name}={value!r}"
        for name, value in sorted(given.items())
        if name not in ("vectors", "callbacks", "verbose") and value is not None
    )
    return f"<footer>rowwise {__version__}: TextClassifier({escape(chosen)})</footer>"


def _share(part: float) -> str:
    return f"{100 * part:.1f}\N{NO-BREAK SPACE}%"
