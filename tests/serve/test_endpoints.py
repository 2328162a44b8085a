"""What each endpoint answers."""

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

import rowwise
from rowwise import TextClassifier, Vectors
from rowwise.errors import InvalidArgumentError
from rowwise.serve import Limits, create_app
from rowwise.viz.page import document


def pairs(neighbors: list[dict[str, Any]]) -> list[tuple[str, float]]:
    return [(each["word"], each["cosine"]) for each in neighbors]


def rounded(found: list[tuple[str, float]]) -> list[tuple[str, float]]:
    return [(word, round(cosine, 6)) for word, cosine in found]


@pytest.mark.parametrize(
    ("words", "k"),
    [(["king"], 3), (["king", "apple", "king"], 1), (["new york", "naïve"], 100), (["girl"], None)],
)
def test_neighbors_are_those_of_most_similar(
    client: TestClient, vectors: Vectors, words: list[str], k: int | None
) -> None:
    asked = {"words": words} if k is None else {"words": words, "k": k}
    answer = client.post("/neighbors", json=asked)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    results = answer.json()["results"]
    assert [result["word"] for result in results] == words
    expected = vectors.most_similar(words, topn=10 if k is None else k)
    assert [pairs(result["neighbors"]) for result in results] == list(map(rounded, expected))


@pytest.mark.parametrize(
    "formula",
    ["king - man + woman", "king", "-king", "'new york' + apple - boy - girl", "king + king - man"],
)
def test_analogies_are_those_of_analogy(client: TestClient, vectors: Vectors, formula: str) -> None:
    answer = client.post("/analogy", json={"formula": formula, "k": 4})
    assert answer.status_code == 200
    assert answer.json()["formula"] == formula
    assert pairs(answer.json()["neighbors"]) == rounded(vectors.analogy(formula, topn=4))


@pytest.mark.parametrize("oov", ["lower", "digits", "mean", "random", "zero", None, "error"])
def test_rows_are_those_of_get(client: TestClient, vectors: Vectors, oov: str | None) -> None:
    known = oov in (None, "error", "digits")
    words = ["king", "apple"] if known else ["king", "Apple"]
    answer = client.post("/embed", json={"words": words, "oov": oov})
    assert answer.status_code == 200
    assert answer.json()["columns"] == 3
    rows = np.array(answer.json()["rows"], dtype=np.float32)
    assert np.array_equal(rows, vectors.get(words, oov or ()))


def test_rows_come_back_to_the_last_bit(serve: Any) -> None:
    rng = np.random.default_rng(0)
    rows = (rng.standard_normal((50, 7)) * 10.0 ** rng.integers(-30, 30, (50, 1))).astype("f4")
    words = [f"w{number}" for number in range(50)]
    answer = serve(Vectors(words, rows)).post("/embed", json={"words": words})
    assert np.array_equal(np.array(answer.json()["rows"], dtype=np.float32), rows)


class Pieces:
    """Subwords that know a row for some words."""

    def vector(self, word: str) -> Any:
        return np.array([0.9, 0.8, 0.1], np.float32) if word.startswith("king") else None


def test_words_without_a_row_get_one_of_their_pieces(serve: Any, vectors: Vectors) -> None:
    client = serve(Vectors(vectors.words, vectors.rows, subwords=Pieces()))
    found = client.post("/neighbors", json={"words": ["kingdom"], "k": 1}).json()["results"]
    assert [each["word"] for each in found[0]["neighbors"]] == ["king"]
    sum_of = client.post("/analogy", json={"formula": "kingdom - man + woman", "k": 1}).json()
    assert [each["word"] for each in sum_of["neighbors"]] == ["queen"]
    rows = client.post("/embed", json={"words": ["kingdom", "man"]}).json()["rows"]
    assert rows == [pytest.approx([0.9, 0.8, 0.1]), pytest.approx([0.1, 0.9, 0.2])]
    for path, asked in (("/neighbors", {"words": ["x"]}), ("/embed", {"words": ["king", "x"]})):
        assert client.post(path, json=asked).json()["code"] == "unknown-word"
    assert client.get("/info").json()["subwords"] is True


def test_labels_are_those_of_predict(serve: Any, classifier: TextClassifier) -> None:
    texts = ["good fun", "an awful, bad time", "", "ﬁlm 👍"]
    answer = serve(classifier).post("/predict", json={"texts": texts})
    assert answer.status_code == 200
    found = answer.json()["predictions"]
    assert [each["label"] for each in found] == classifier.predict(texts).tolist()
    shares = [list(each["probabilities"].values()) for each in found]
    np.testing.assert_allclose(shares, classifier.predict_proba(texts), atol=1e-6)
    assert all(list(each["probabilities"]) == ["no", "yes"] for each in found)
    assert all("words" not in each for each in found)


def test_explained_labels_are_those_of_explain(serve: Any, classifier: TextClassifier) -> None:
    texts = ["good fun", "  an awful, BAD time", ""]
    answer = serve(classifier).post("/predict", json={"texts": texts, "explain": True})
    for found, expected in zip(
        answer.json()["predictions"], classifier.explain(texts), strict=True
    ):
        assert found["label"] == expected.label
        assert [(each["word"], each["start"], each["end"]) for each in found["words"]] == [
            (each.word, each.start, each.end) for each in expected.words
        ]
        shares = [each["share"] for each in found["words"]]
        assert shares == pytest.approx([each.share for each in expected.words], abs=2e-6)


def test_turns_do_not_show(
    serve: Any, classifier: TextClassifier, vectors: Vectors, monkeypatch: Any
) -> None:
    texts, words = ["good fun", "an awful, bad time", "", "bad"], ["king", "queen", "apple"]
    questions = (
        (classifier, "/predict", {"texts": texts, "explain": True}),
        (vectors, "/neighbors", {"words": words, "k": 3}),
        (vectors, "/embed", {"words": words}),
        (vectors, "/embed", {"words": [*words, "nothing", "nobody"]}),
        (vectors, "/neighbors", {"words": [*words, "nothing"]}),
    )
    at_once = [serve(model).post(path, json=asked).json() for model, path, asked in questions]
    assert at_once[3]["errors"][0]["pointer"] == "#/words/3"
    monkeypatch.setattr("rowwise.serve.turns.CHARACTERS", 6)
    for (model, path, asked), expected in zip(questions, at_once, strict=True):
        found = serve(model).post(path, json=asked).json()
        if "errors" in found:  # "and 1 more" is of the turn
            assert found["errors"][0]["pointer"] == expected["errors"][0]["pointer"]
        else:
            assert found == expected


def test_a_classifier_serves_the_rows_of_its_words(serve: Any, classifier: TextClassifier) -> None:
    client = serve(classifier, name="reviews")
    words = classifier.word_vectors()
    found = client.post("/neighbors", json={"words": ["good"], "k": 2}).json()["results"][0]
    assert pairs(found["neighbors"]) == rounded(words.most_similar("good", topn=2))
    rows = client.post("/embed", json={"words": ["good"]}).json()["rows"]
    assert np.array_equal(np.array(rows, dtype=np.float32), [words["good"]])
    assert client.get("/info").json() == {
        "kind": "classifier",
        "name": "reviews",
        "version": rowwise.__version__,
        "words": len(words),
        "columns": 8,
        "subwords": False,
        "labels": ["no", "yes"],
        "endpoints": ["/neighbors", "/analogy", "/embed", "/predict"],
        "limits": vars(Limits()),
    }


def test_vectors_tell_no_labels(client: TestClient) -> None:
    answer = client.post("/predict", json={"texts": ["good"]})
    assert (answer.status_code, answer.json()["code"]) == (404, "no-classifier")
    assert "Serve a classifier" in answer.json()["detail"]
    assert "/predict" not in client.get("/openapi.json").json()["paths"]
    info = client.get("/info").json()
    assert (info["kind"], info["labels"]) == ("vectors", None)
    assert info["endpoints"] == ["/neighbors", "/analogy", "/embed"]


def test_health(client: TestClient) -> None:
    assert client.get("/health").json() == {"status": "ok"}


def test_a_name_may_be_no_text(serve: Any, vectors: Vectors) -> None:
    client = serve(vectors, name="caf\udce9.txt")
    assert client.get("/info").json()["name"] == "caf?.txt"
    assert "caf?.txt" in client.get("/openapi.json").json()["info"]["description"]


def test_the_page_is_html_and_kept_in_its_place(client: TestClient) -> None:
    answer = laid_out(client)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert client.get("/").text == answer.text


def test_a_page_that_takes_its_time_comes_by_itself(client: TestClient, monkeypatch: Any) -> None:
    monkeypatch.setattr("rowwise.serve.explorer._PATIENCE", 0)
    first = client.get("/")
    assert (first.status_code, first.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert 'http-equiv="refresh"' in first.text
    assert "<script" in laid_out(client).text


def laid_out(client: TestClient) -> Any:
    """The page, when its words have been laid out."""
    end = time.monotonic() + 120
    while 'http-equiv="refresh"' in (answer := client.get("/")).text:
        assert time.monotonic() < end
    return answer


def test_no_page_loads_from_elsewhere(client: TestClient) -> None:
    for path in ("/docs", "/redoc", "/docs/oauth2-redirect"):
        assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    ("rows", "message"),
    [(np.zeros((0, 3)), "Received none"), (np.full((2, 3), np.nan), "NaN or infinity")],
)
def test_what_has_no_page_says_why(serve: Any, rows: Any, message: str) -> None:
    answer = serve(Vectors(["a", "b"][: len(rows)], rows)).get("/")
    assert (answer.status_code, answer.json()["code"]) == (404, "no-page")
    assert message in answer.json()["detail"]


def test_a_page_without_plotly_names_its_extra(
    serve: Any, vectors: Vectors, monkeypatch: Any
) -> None:
    monkeypatch.setitem(sys.modules, "plotly.offline", None)
    document._plotly.cache_clear()
    answer = serve(vectors).get("/")
    assert answer.status_code == 404
    assert 'pip install "rowwise[explore]"' in answer.json()["detail"]


def test_a_row_too_large_for_float32_is_named(serve: Any, tmp_path: Path) -> None:
    path = tmp_path / "wide.txt"
    path.write_text("a 1 2\nb 1e300 2\n")
    client = serve(Vectors.load(path, dtype="float64"))
    assert client.post("/embed", json={"words": ["a"]}).json()["rows"] == [[1, 2]]
    problem = client.post("/embed", json={"words": ["a", "b"]}).json()
    assert (problem["code"], problem["errors"][0]["pointer"]) == ("unknown-word", "#/words/1")


def test_probabilities_that_are_no_numbers_are_an_error(
    serve: Any, classifier: TextClassifier, monkeypatch: Any
) -> None:
    client = serve(classifier)
    usual = TextClassifier.predict_proba

    def some_are_nan(self: TextClassifier, texts: list[str]) -> Any:
        shares = usual(self, texts)
        shares[[text == "odd" for text in texts]] = np.nan
        return shares

    monkeypatch.setattr(TextClassifier, "predict_proba", some_are_nan)
    answer = client.post("/predict", json={"texts": ["good", "odd"]})
    assert (answer.status_code, answer.json()["code"]) == (500, "no-number")
    assert client.post("/predict", json={"texts": ["good"]}).status_code == 200


def test_an_empty_table_has_no_neighbors(serve: Any) -> None:
    client = serve(Vectors(["only"], [[1.0, 2.0]]))
    assert client.post("/neighbors", json={"words": ["only"]}).json() == {
        "results": [{"word": "only", "neighbors": []}]
    }


def test_labels_that_are_numbers_are_told_as_text(serve: Any) -> None:
    numbers = TextClassifier(output_dim=2, pair_buckets=0, epochs=1, random_state=0)
    numbers.fit(["a b", "c d"] * 4, [1, 2] * 4)
    found = serve(numbers).post("/predict", json={"texts": ["a"]}).json()["predictions"][0]
    assert found["label"] in ("1", "2")
    assert set(found["probabilities"]) == {"1", "2"}


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (TextClassifier(), "not fitted"),
        ("words.txt", "Received: str"),
        (None, "Received: NoneType"),
    ],
)
def test_what_cannot_be_served_is_named(model: Any, message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        create_app(model)


def test_words_of_all_kinds_survive_json(serve: Any) -> None:
    odd = ['say "no"', "back\\slash", "line\nbreak", "日本", "👍", "\x7f", "</script>"]
    client = serve(Vectors(odd, np.eye(len(odd))))
    results = client.post("/neighbors", json={"words": odd}).json()["results"]
    assert [result["word"] for result in results] == odd
    assert {each["word"] for each in results[0]["neighbors"]} == set(odd[1:])
    formula = json.dumps({"formula": "日本 + 👍", "k": 1})
    answer = client.post("/analogy", content=formula, headers={"content-type": "application/json"})
    assert answer.json()["formula"] == "日本 + 👍"
