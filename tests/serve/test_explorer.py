"""The live explorer in a real browser, asked by a real server."""

import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager

import numpy as np
import pytest

from rowwise import TextClassifier, Vectors

TOKEN = "a-token-that-nobody-guesses"


@contextmanager
def serving(*arguments, **environment):
    """The address of `rowwise serve`, which must end well."""
    process = subprocess.Popen(
        [sys.executable, "-m", "rowwise", "serve", *map(str, arguments), "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
    )
    try:
        line = process.stdout.readline()
        assert line, process.stderr.read()
        yield re.search(r"http://127\.0\.0\.1:\d+/", line)[0]
    finally:
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        print(errors)
        assert process.returncode == 0, errors


def opened(page, address):
    page.goto(address)
    page.wait_for_selector("html[data-ready]", timeout=120_000)  # words are laid out first
    return page


def pick(page, text):
    page.fill("#search", text)
    page.press("#search", "Enter")
    page.wait_for_function(
        "text => document.querySelector('#picked h2').textContent === text", arg=text
    )
    items = page.query_selector_all("#picked li")
    return [
        (one.inner_text().split("\n")[0], one.query_selector("data").inner_text()) for one in items
    ]


@pytest.fixture(scope="module")
def vectors():
    """More words than the map has."""
    rng = np.random.default_rng(0)
    words = ["king", "man", "woman", "well", "known", *(f"w{i}" for i in range(5_200))]
    words += ["well-known", "New York", "don't", "King"]
    return Vectors(words, rng.normal(size=(len(words), 8)).astype("float32"))


@pytest.fixture(scope="module")
def vectors_address(vectors, tmp_path_factory):
    path = tmp_path_factory.mktemp("serve") / "words.safetensors"
    vectors.save(path)
    with serving(path) as address:
        yield address


def test_words_and_formulas_of_the_whole_table(page, vectors, vectors_address):
    opened(page, vectors_address)
    assert "5,000 of 5,209 words × 8 columns" in page.inner_text("#about")
    # Only the first is on the map; the last ones look like formulas, or like another word.
    for word in ("king", "w5199", "well-known", "New York", "don't", "King"):
        exact = vectors.most_similar(word, 10)
        found = pick(page, word)
        assert [other for other, _ in found] == [other for other, _ in exact]
        assert float(found[0][1]) == pytest.approx(exact[0][1], abs=6e-4)
        assert page.inner_text("#picked .facts").endswith("nearest words")
    for formula, words in (
        ("king - man + woman", {"positive": ["king", "woman"], "negative": ["man"]}),
        ("well - known", {"positive": ["well"], "negative": ["known"]}),
    ):
        exact = vectors.most_similar(**words, topn=10)
        assert [word for word, _ in pick(page, formula)] == [word for word, _ in exact]
        assert "formula" in page.inner_text("#picked .facts")


def test_what_the_server_refuses_is_said(page, vectors_address):
    opened(page, vectors_address)
    said = []
    page.on("requestfinished", lambda request: said.append(request.response().status))
    page.fill("#search", "zzyzx")
    page.press("#search", "Enter")
    page.wait_for_selector("#message:not(:empty)")
    assert "'zzyzx'" in page.inner_text("#message")
    assert said == [422]


def test_a_text_is_classified_with_each_words_share(page, tmp_path):
    texts = ["a good film", "good and warm", "a bad film", "bad and cold"] * 8
    classifier = TextClassifier(epochs=12, random_state=0).fit(texts, ["+", "+", "-", "-"] * 8)
    classifier.save(tmp_path / "model.keras")
    with serving(tmp_path / "model.keras", ROWWISE_TOKEN=TOKEN) as address:
        opened(page, f"{address}?token={TOKEN}")
        assert TOKEN not in page.url
        page.fill("#text", "🙂 a bad, <b>film</b>")
        page.click("#ask")
        page.wait_for_selector("#answer:not([hidden])")
        assert page.inner_text("#answer .label") == "-"
        assert page.inner_text("#answer .words") == "🙂 a bad, <b>film</b>"
        marks = {
            one.inner_text(): one.get_attribute("title")
            for one in page.query_selector_all("#answer mark")
        }
        shares = classifier.explain(["🙂 a bad, <b>film</b>"])[0]
        assert marks["bad"] == f"+{100 * max(word.share for word in shares.words):.1f} %"
        assert pick(page, "good")
