"""The page in a real browser, from a file: no server, no network."""

import json
from importlib.resources import files

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rowwise import Vectors, viz
from rowwise.errors import InvalidArgumentError
from rowwise.vectors.formulas import parse_formula

ODD = ["<b>bold</b>", "a&b", "new york", "x\"y'z", "naïve", "日本", "🙂", "</script>", "$x^2$"]


@pytest.fixture(scope="module")
def glove(shared_data):
    return Vectors.load(shared_data / "vectors" / "glove.6B.50d.5k.txt", limit=2500)


@pytest.fixture(scope="module")
def glove_page(glove, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "map.html"
    viz.write_page(glove, path, title="GloVe <5k> & more", method="pca")
    return path


def opened(page, path, hash=""):
    page.goto(path.as_uri() + hash)
    page.wait_for_selector("html[data-ready]")
    return page


def neighbours(page):
    items = page.query_selector_all("#picked li")
    return [
        tuple(part.inner_text() for part in one.query_selector_all("span, data")) for one in items
    ]


def message_of(page):
    page.wait_for_selector("#message:not(:empty)")
    return page.inner_text("#message")


def pick(page, text):
    page.fill("#search", text)
    page.press("#search", "Enter")
    page.wait_for_function(
        "text => document.querySelector('#picked h2').textContent === text", arg=text
    )


def test_search_pick_and_read_neighbours(page, glove, glove_page):
    opened(page, glove_page)
    assert page.title() == page.inner_text("h1") == "GloVe <5k> & more"
    page.keyboard.press("/")
    page.keyboard.type("kin")
    found = [one.inner_text() for one in page.query_selector_all("#found li")]
    assert found[:2] == [word for word in glove.words if word.startswith("kin")][:2]
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_selector("#picked:not([hidden])")
    word = page.inner_text("#picked h2")
    assert word == found[0]
    exact = glove.most_similar(word, 10)
    assert [other for other, _ in neighbours(page)] == [other for other, _ in exact]
    for (_, shown), (_, cosine) in zip(neighbours(page), exact, strict=True):
        assert float(shown) == pytest.approx(cosine, abs=6e-4)
    assert page.evaluate("document.getElementById('map').data[2].x.length") == 11


def test_the_dots_are_drawn_by_webgl(page, glove_page):
    opened(page, glove_page)
    assert page.evaluate("document.getElementById('map').data[0].type") == "scattergl"
    assert page.evaluate("document.getElementById('map').data[0].x.length") == 2500


def test_a_click_on_a_dot_picks_its_word(page, glove_page):
    opened(page, glove_page)
    pick(page, "king")
    for _ in range(12):  # until no other dot is near
        page.press("#map", "+")
        page.evaluate("window.scrollTo(0, 0)")
    place = page.evaluate(
        """() => {
          const plot = document.getElementById("map");
          const { xaxis, yaxis } = plot.layout;
          const box = plot.getBoundingClientRect();
          const [x, y] = [plot.data[2].x[0], plot.data[2].y[0]];
          const part = (value, [low, high]) => (value - low) / (high - low);
          return [
            12 + part(x, xaxis.range) * (box.width - 24),
            12 + (1 - part(y, yaxis.range)) * (box.height - 24),
          ];
        }"""
    )
    page.keyboard.press("Escape")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Escape")
    page.wait_for_selector("#picked[hidden]", state="attached")
    page.mouse.move(*place)
    page.wait_for_timeout(300)
    page.mouse.click(*place)
    page.wait_for_selector("#picked:not([hidden])")
    assert page.inner_text("#picked h2") == "king"


def test_a_formula_is_computed_in_the_page(page, glove, glove_page):
    opened(page, glove_page)
    pick(page, "king - man + woman")
    exact = dict(glove.most_similar(positive=["king", "woman"], negative=["man"], topn=20))
    for word, cosine in neighbours(page)[:5]:
        assert float(cosine) == pytest.approx(exact[word], abs=0.02)
    assert "rounded rows" in page.inner_text(".facts")


def test_axes_by_formula_and_back(page, glove, glove_page):
    opened(page, glove_page)
    page.fill("#across", "king - man")
    page.fill("#up", "she - he")
    page.press("#up", "Enter")
    page.wait_for_function("document.getElementById('map').layout.xaxis.visible")
    x, y = json.loads(
        page.evaluate(
            "(({x, y}) => JSON.stringify([[...x], [...y]]))(document.getElementById('map').data[0])"
        )
    )
    unit = glove.rows / np.linalg.norm(glove.rows, axis=1, keepdims=True)
    for found, (one, other) in ((x, ("king", "man")), (y, ("she", "he"))):
        direction = unit[glove.index(one)] - unit[glove.index(other)]
        wanted = unit @ (direction / np.linalg.norm(direction))
        np.testing.assert_allclose(found, wanted, atol=0.02)
    assert page.evaluate("document.getElementById('map').layout.xaxis.title.text") == "king - man"
    page.click("#back")
    page.wait_for_function("!document.getElementById('map').layout.xaxis.visible")


def test_colours_and_their_key(page, glove_page):
    opened(page, glove_page)
    colour = "JSON.stringify(document.getElementById('map').data[0].marker.color.slice(0, 9))"
    assert page.input_value("#colour") == "cluster"
    by_cluster = page.evaluate(colour)
    page.click("#key button >> nth=0")
    page.wait_for_selector("#key button[aria-pressed=true]")
    faint = page.evaluate(
        "document.getElementById('map').data[0].marker.opacity.filter(o => o < 0.1)"
    )
    assert 0 < len(faint) < 2500
    page.select_option("#colour", "rank")
    page.wait_for_selector("#key .ends")
    assert page.evaluate(colour) != by_cluster
    assert page.inner_text("#key .ends").split() == ["1", "2,500"]


def test_dark_and_light(page, glove_page):
    page.emulate_media(color_scheme="dark")
    opened(page, glove_page)
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(ground)
    assert page.evaluate("document.getElementById('map').layout.paper_bgcolor") == "#14171a"
    page.keyboard.press("t")
    page.wait_for_function("document.getElementById('map').layout.paper_bgcolor === '#ffffff'")
    assert page.evaluate(ground) != dark


def test_keys_alone_lead_everywhere(page, glove, glove_page):
    opened(page, glove_page)
    page.keyboard.press("/")
    page.keyboard.type("paris")
    page.keyboard.press("Enter")
    page.wait_for_selector("#picked:not([hidden])")
    page.keyboard.press("Escape")
    first = neighbours(page)[0][0]
    page.keyboard.press("n")
    page.keyboard.press("Enter")
    page.wait_for_function(
        "text => document.querySelector('#picked h2').textContent === text", arg=first
    )
    page.keyboard.press("m")
    before = page.evaluate("document.getElementById('map').layout.xaxis.range")
    for key in ("ArrowLeft", "+"):
        page.keyboard.press(key)
    page.wait_for_timeout(300)
    assert page.evaluate("document.getElementById('map').layout.xaxis.range") != before
    page.keyboard.press("c")
    page.wait_for_function("document.getElementById('colour').value === 'rank'")
    page.keyboard.press("x")
    assert page.evaluate("document.activeElement.id") == "across"


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("zzyzx", "“zzyzx” is not on this page."),
        ("king - zzyzx", "“zzyzx” is not on this page."),
        ("'king - man", "The quote before “king - man” is never closed."),
        ("king -", "A word is missing at the end."),
        ("king man", "Expected + or - before “man”."),
        ("king - king", "has no direction"),
    ],
)
def test_mistakes_are_said(page, glove_page, typed, message):
    opened(page, glove_page)
    page.fill("#search", typed)
    page.press("#search", "Enter")
    assert message in message_of(page)


def test_a_row_of_zeros_has_no_neighbours(page, tmp_path):
    rows = np.zeros((9, 3), "float32")
    rows[1:, 0] = rows[2:5, 1] = 1
    vectors = Vectors([f"w{number}" for number in range(9)], rows)
    viz.write_page(vectors, tmp_path / "map.html")
    opened(page, tmp_path / "map.html")
    pick(page, "w2")
    assert {cosine for _, cosine in neighbours(page)[:2]} == {"1.000"}
    page.fill("#search", "w0")
    page.press("#search", "Enter")
    assert message_of(page) == "The row of “w0” is zero: it has no direction."


def test_words_are_shown_as_they_are(page, tmp_path):
    rows = np.random.default_rng(0).normal(size=(len(ODD), 6)).astype("float32")
    vectors = Vectors(ODD, rows)
    viz.write_page(vectors, tmp_path / "odd.html", title="</title><script>alert(1)</script>")
    opened(page, tmp_path / "odd.html")
    assert page.inner_text("h1") == "</title><script>alert(1)</script>"
    for word in ODD:
        pick(page, word)
        assert {other for other, _ in neighbours(page)} == set(ODD) - {word}
    shown = page.evaluate("[...document.querySelectorAll('#map text')].map(one => one.textContent)")
    assert "<b>bold</b>" in shown


def test_a_word_in_the_address_is_picked(page, glove_page):
    opened(page, glove_page, "#word=queen")
    assert page.inner_text("#picked h2") == "queen"


def test_words_are_found_whatever_their_case(page, tmp_path):
    rows = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")
    words = ["Paris", "US", "us", "vice-president", "new york", "trail "]
    viz.write_page(Vectors(words, rows), tmp_path / "map.html")
    opened(page, tmp_path / "map.html")
    for typed, found in [
        ("paris", "Paris"),
        ("us", "us"),
        ("US", "US"),
        ("NEW YORK", "new york"),
        ("trail ", "trail "),
    ]:
        page.fill("#search", typed)
        page.press("#search", "Enter")
        page.wait_for_function(
            "text => document.querySelector('#picked h2').textContent === text", arg=found
        )
    page.fill("#across", "vice-president")
    page.fill("#up", "'vice-president' - paris")
    page.press("#up", "Enter")
    page.wait_for_function("document.getElementById('map').layout.xaxis.visible")


def test_going_back_goes_to_the_word_before(page, glove_page):
    opened(page, glove_page)
    pick(page, "king")
    pick(page, "paris")
    page.go_back()
    page.wait_for_function("document.querySelector('#picked h2').textContent === 'king'")
    page.go_back()
    page.wait_for_selector("#picked[hidden]", state="attached")
    page.evaluate("location.hash = '#word=paris'")
    page.wait_for_function("document.querySelector('#picked h2').textContent === 'paris'")


def test_long_labels_stay_in_the_panel(page, tmp_path):
    rows = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")
    words = ["w" * 400, *"abcde"]
    viz.write_page(
        Vectors(words, rows), tmp_path / "map.html", color=["l" * 500, "b"] * 3, title="t" * 300
    )
    for width in (1200, 390):
        page.set_viewport_size({"width": width, "height": 800})
        opened(page, tmp_path / "map.html")
        pick(page, "w" * 400)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        panel = page.evaluate(
            "(p => p.scrollWidth - p.clientWidth)(document.querySelector('aside'))"
        )
        assert panel <= 0


ALPHABET = st.sampled_from("ab+-'\" \u00a0\u2028\u3000\ufeff\x1c\x85\té🙂")


@settings(max_examples=1)
@given(st.lists(st.text(ALPHABET, max_size=12), min_size=400, max_size=400, unique=True))
def test_formulas_are_read_as_python_reads_them(chromium, formulas):
    script = (files("rowwise.viz.page") / "assets" / "formula.js").read_text(encoding="utf-8")
    context = chromium.new_context()
    page = context.new_page()
    found = page.evaluate(
        f"""formulas => {{
          {script}
          return formulas.map(formula => {{
            try {{ return parseFormula(formula).map(({{word, sign}}) => [word, sign]); }}
            catch (error) {{ return null; }}
          }});
        }}""",
        formulas,
    )
    context.close()
    for formula, terms in zip(formulas, found, strict=True):
        try:
            added, taken = parse_formula(formula)
        except InvalidArgumentError:
            assert terms is None, formula
            continue
        assert terms is not None, formula
        assert [word for word, sign in terms if sign > 0] == added
        assert [word for word, sign in terms if sign < 0] == taken
