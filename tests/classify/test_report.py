"""``report.html``: what it says of a run, and that it is whole in itself."""

import re
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import classification_report

from rowwise import TextClassifier
from rowwise.classify import train_run
from rowwise.classify.judging import Judgement
from rowwise.classify.report_page import _marked
from rowwise.text import Examples

ODD = ["<b>bad</b> & worse", "a </script> good", "naïve 日本 bad", "good  day", "$x$ fine"]


@pytest.fixture(scope="module")
def fitted() -> TextClassifier:
    texts = ["a good film", "good and warm", "a bad film", "bad and cold", "a film"] * 8
    labels = ["<good>", "<good>", "&bad", "&bad", "neither"] * 8
    return TextClassifier(epochs=6, random_state=0).fit(texts, labels)


def judged(classifier: TextClassifier, texts: list[str], labels: list[str]) -> Judgement:
    return Judgement(classifier, (["a good film"] * 4, ["<good>"] * 4), (texts, labels))


def test_labels_are_measured_as_scikit_learn_does(fitted: TextClassifier) -> None:
    texts = ["good", "bad", "film", "good bad", "cold", "warm film"] * 3
    labels = ["<good>", "&bad", "neither", "<good>", "<good>", "neither"] * 3
    found = judged(fitted, texts, labels)
    wanted: Any = classification_report(
        labels, fitted.predict(texts), output_dict=True, zero_division=0
    )
    for label in found.labels:
        assert label.precision == pytest.approx(wanted[label.name]["precision"])
        assert label.recall == pytest.approx(wanted[label.name]["recall"])
        assert label.f1 == pytest.approx(wanted[label.name]["f1-score"])
        assert label.test == wanted[label.name]["support"]
    assert found.counts.sum() == len(texts)


def test_the_surest_mistakes_come_first(fitted: TextClassifier) -> None:
    texts = ["good", "good good film", "bad", "warm"]
    found = judged(fitted, texts, ["&bad", "&bad", "&bad", "neither"])
    mistakes = found.mistakes()
    sure = [float(one.explanation.probabilities.max()) for one in mistakes]
    assert sure == sorted(sure, reverse=True)
    wrong = fitted.predict(texts) != np.array(["&bad", "&bad", "&bad", "neither"])
    assert sorted(one.text for one in mistakes) == sorted(np.array(texts)[wrong])
    assert len(found.mistakes(1)) == 1


def test_lengths_and_unknown_words(fitted: TextClassifier) -> None:
    found = judged(fitted, ["good zzz", "bad yyy"], ["<good>", "&bad"])
    assert (found.lengths.median, found.lengths.longest, found.lengths.cut) == (3, 3, 0)
    assert found.unknown == 0.5


def test_the_page_of_a_run(reviews: Examples, tmp_path: Path, page: Any) -> None:
    classifier = TextClassifier(epochs=3, validation_split=0.1, random_state=0)
    report = train_run(classifier, reviews.texts, reviews.labels or [], tmp_path / "run", seed=1)
    path = tmp_path / "run" / "report.html"
    page.goto(path.as_uri())
    assert page.inner_text("h1") == "Texts as negative, positive"
    merit = page.inner_text(".merit")
    assert f"{100 * report.accuracy:.1f} %" in merit
    assert f"{report.macro_f1:.3f}" in merit
    assert "96" in merit
    pictures = page.query_selector_all("img")
    assert [one.get_attribute("alt").split()[0] for one in pictures] == ["Loss", "Counts", "A"]
    assert all(one.evaluate("one => one.naturalWidth > 200") for one in pictures)
    wrong = round(96 * (1 - report.accuracy))
    assert len(page.query_selector_all(".mistakes tr")) == 1 + min(20, wrong)
    assert page.query_selector_all(".mistakes mark.for")
    text = path.read_text(encoding="utf-8")
    assert not re.search(r'(?:src|href)="(?!data:)', text)
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).maxWidth") == "none"


def test_texts_and_labels_are_shown_as_they_are(tmp_path: Path) -> None:
    # Each text has both labels, so there are mistakes.
    texts, labels = ODD * 8, ["<i>", "</td>"] * 20
    train_run(TextClassifier(epochs=1, random_state=0), texts, labels, tmp_path / "run")
    html = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    body = html[html.index("<body>") :]
    assert not re.search("<i>|<b>|</script>", body)
    rows = re.findall(r"<tr><td>.*? \d+\xa0%</td><td>(.*?)</td><td>(.*?)</td></tr>", body)
    assert rows
    for true, text in rows:
        assert unescape(true) in ("<i>", "</td>")
        assert unescape(re.sub(r"<[^>]*>", "", text)) in ODD


def test_no_mistakes(fitted: TextClassifier, tmp_path: Path) -> None:
    texts = ["a good film", "bad and cold"] * 20
    classifier = TextClassifier(epochs=8, random_state=0)
    report = train_run(classifier, texts, ["x", "y"] * 20, tmp_path / "run")
    assert report.accuracy == 1
    html = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "There are none" in html


@pytest.mark.parametrize("length", [3, 48, 200])
def test_labels_of_any_length_leave_room_for_texts(length: int, tmp_path: Path, page: Any) -> None:
    # Each text has all labels, so there are mistakes.
    labels = [(one * length)[:length] for one in ("one_", "two, ", "three-")]
    texts = ["the soup was cold and the waiter slow " * 3, "a film to see again"] * 30
    classifier = TextClassifier(epochs=1, random_state=0)
    train_run(classifier, texts, labels * 20, tmp_path / "run")
    page.goto((tmp_path / "run" / "report.html").as_uri())
    for media, width in (("screen", 390), ("screen", 1000), ("print", 680)):
        page.emulate_media(media=media)
        page.set_viewport_size({"width": width, "height": 800})
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(wide) <= 0
        share = """one => one.getBoundingClientRect().width
            / one.closest("table").getBoundingClientRect().width"""
        assert page.query_selector(".mistakes th:nth-child(3)").evaluate(share) > 0.5
        # Numbers and heads are not broken within a word.
        lines = """one => {
            const range = document.createRange();
            range.selectNodeContents(one);
            return new Set([...range.getClientRects()].map(line => line.top)).size;
        }"""
        for one in page.query_selector_all(".labels td, .mistakes th"):
            assert one.evaluate(lines) == 1
    page.set_viewport_size({"width": 1000, "height": 800})
    pages = len(re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4")))
    assert pages <= 12


@pytest.mark.parametrize("text", ["x" * 200_000, "word " * 40_000, "." * 200_000])
def test_long_texts_are_cut(fitted: TextClassifier, text: str) -> None:
    label = next(one for one in fitted.classes_ if one != fitted.predict([text])[0])
    (mistake,) = judged(fitted, [text], [label]).mistakes()
    shown = unescape(re.sub(r"<[^>]*>", "", _marked(mistake)))
    assert shown == text[:600] + "…"
