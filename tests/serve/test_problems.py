"""Errors are problem+json, and name the field."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from rowwise import TextClassifier, Vectors
from rowwise.serve import Limits, create_app
from rowwise.serve.problems import pointer_to

JSON = {"content-type": "application/json"}


def check(answer: Any, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert (problem["status"], problem["code"], problem["type"]) == (status, code, "about:blank")
    assert problem["title"]
    assert problem["detail"]
    return problem


@pytest.mark.parametrize(
    ("path", "asked", "code", "pointer", "words"),
    [
        ("/neighbors", {}, "bad-field", "#/words", "`words`"),
        ("/neighbors", {"words": []}, "bad-field", "#/words", "`words`"),
        ("/neighbors", {"words": "king"}, "bad-field", "#/words", 'as a list, too: ["good"].'),
        ("/neighbors", {"words": ["king", 3]}, "bad-field", "#/words/1", "`words[1]`"),
        ("/neighbors", {"words": [""]}, "bad-field", "#/words/0", "`words[0]`"),
        ("/neighbors", {"words": [None]}, "bad-field", "#/words/0", "`words[0]`"),
        ("/neighbors", {"words": ["king"], "k": 0}, "bad-field", "#/k", "`k`"),
        ("/neighbors", {"words": ["king"], "k": "3"}, "bad-field", "#/k", "`k`"),
        ("/neighbors", {"words": ["king"], "k": 2.5}, "bad-field", "#/k", "`k`"),
        ("/neighbors", {"words": ["king"], "k": True}, "bad-field", "#/k", "`k`"),
        ("/neighbors", {"words": ["king"], "k": 1001}, "bad-field", "#/k", "1000"),
        ("/neighbors", {"words": ["king"], "topn": 3}, "bad-field", "#/topn", "`topn`"),
        ("/neighbors", {"word": ["king"]}, "bad-field", "#/word", "`word`: There is no such field"),
        ("/neighbors", {"word": ["king"]}, "bad-field", "#/word", "The fields are `words`, `k`."),
        ("/neighbors", {"words": ["king"] * 257}, "bad-field", "#/words", "256"),
        ("/neighbors", {"words": ["x" * 10_001]}, "bad-field", "#/words/0", "10000"),
        ("/neighbors", {"words": ["king", "pear"]}, "unknown-word", "#/words/1", "'pear'"),
        ("/neighbors", {"words": ["KING"]}, "unknown-word", "#/words/0", "'king' in lower case"),
        ("/neighbors", {"words": ["broken"]}, "unknown-word", "#/words/0", "NaN"),
        ("/neighbors", ["king"], "bad-field", "#", "object"),
        ("/neighbors", "king", "bad-field", "#", "object"),
        ("/analogy", {"formula": ""}, "bad-field", "#/formula", "`formula`"),
        ("/analogy", {"formula": ["king"]}, "bad-field", "#/formula", "`formula`"),
        ("/analogy", {"formula": "king +"}, "bad-formula", "#/formula", "Expected a word"),
        ("/analogy", {"formula": "king man"}, "bad-formula", "#/formula", "Expected + or -"),
        ("/analogy", {"formula": "'king"}, "bad-formula", "#/formula", "never closed"),
        ("/analogy", {"formula": "king - pear"}, "unknown-word", "#/formula", "'pear'"),
        ("/analogy", {"formula": "king - ''"}, "unknown-word", "#/formula", "''"),
        (
            "/analogy",
            {"formula": "king - king"},
            "no-direction",
            "#/formula",
            "add up to all zeros",
        ),
        ("/analogy", {"formula": "king", "k": -1}, "bad-field", "#/k", "`k`"),
        ("/embed", {"words": ["king", "pear", "plum"]}, "unknown-word", "#/words/1", "'plum'"),
        ("/embed", {"words": ["broken"]}, "unknown-word", "#/words/0", "NaN"),
        ("/embed", {"words": ["a"], "oov": "guess"}, "bad-field", "#/oov", "`oov`"),
        ("/embed", {"words": ["a"], "oov": ["mean"]}, "bad-field", "#/oov", "`oov`"),
        ("/embed", {"words": ["pear"], "oov": "lower"}, "unknown-word", "#/words/0", "'pear'"),
    ],
)
def test_the_field_is_named(
    client: TestClient, path: str, asked: Any, code: str, pointer: str, words: str
) -> None:
    problem = check(client.post(path, json=asked), 422, code)
    assert problem["errors"][0]["pointer"] == pointer
    assert words in problem["detail"]


def test_a_row_of_zeros_has_no_neighbours(serve: Any) -> None:
    client = serve(Vectors(["zero", "one", "two"], [[0, 0], [1, 0], [1, 1]]))
    answer = client.post("/neighbors", json={"words": ["one", "zero"]})
    problem = check(answer, 422, "no-direction")
    assert problem["errors"][0]["pointer"] == "#/words/1"
    assert "The row of 'zero' is all zeros" in problem["detail"]
    client.post("/analogy", json={"formula": "one + zero"}).raise_for_status()


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        ({"texts": []}, "#/texts"),
        ({"texts": "good"}, "#/texts"),
        ({"texts": ["good", 1]}, "#/texts/1"),
        ({"texts": ["good"], "explain": "yes"}, "#/explain"),
        ({"texts": ["good"], "explain": 1}, "#/explain"),
        ({"texts": ["good"] * 17, "explain": True}, "#/texts"),
        ({"text": "good"}, "#/text"),
    ],
)
def test_the_field_of_a_prediction_is_named(
    serve: Any, classifier: TextClassifier, asked: Any, pointer: str
) -> None:
    problem = check(serve(classifier).post("/predict", json=asked), 422, "bad-field")
    assert problem["errors"][0]["pointer"] == pointer


def test_a_whole_number_may_have_a_point(client: TestClient) -> None:
    body = b'{"words": ["king"], "k": 2.0}'
    answer = client.post("/neighbors", content=body, headers=JSON)
    assert len(answer.json()["results"][0]["neighbors"]) == 2


def test_several_fields_are_named_at_once(client: TestClient) -> None:
    problem = client.post("/neighbors", json={"words": [1] * 30, "k": 0, "a/b~ü": 1}).json()
    assert [error["pointer"] for error in problem["errors"]][:2] == ["#/words/0", "#/words/1"]
    assert len(problem["errors"]) == 10
    assert "And 31 more." in problem["detail"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nonsense",
        b'{"words": ["king"]} x',
        b"\xff\xfe",
        b'{"words": ["\xff"]}',
        b'{"words": ["\\ud800"]}',
        b"[" * 100000,
        b'{"a":' * 5000,
        b'{"words": ["a\x00b"]}',
    ],
)
def test_what_is_no_json_is_said_to_be_none(client: TestClient, body: bytes) -> None:
    check(client.post("/neighbors", content=body, headers=JSON), 400, "bad-json")


@pytest.mark.parametrize("number", ["NaN", "1e400", "-Infinity", "9" * 5_000, "1" + "0" * 400])
def test_odd_numbers_are_no_count(client: TestClient, number: str) -> None:
    body = f'{{"words": ["king"], "k": {number}}}'
    answer = client.post("/neighbors", content=body, headers=JSON)
    assert answer.status_code in (400, 422)
    assert answer.json()["code"] in ("bad-json", "bad-field")


@pytest.mark.parametrize(
    "kind",
    [
        None,
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonx",
        "json",
        "multipart/form-data; boundary=x",
        "text/json",
    ],
)
def test_a_body_has_to_be_said_to_be_json(client: TestClient, kind: str | None) -> None:
    headers = {} if kind is None else {"content-type": kind}
    answer = client.post("/neighbors", content=b'{"words": ["king"]}', headers=headers)
    problem = check(answer, 415, "not-json")
    assert "Content-Type: application/json" in problem["detail"]


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON; charset=utf-8"])
def test_json_may_be_spelt_in_several_ways(client: TestClient, kind: str) -> None:
    headers = {"content-type": kind}
    answer = client.post("/neighbors", content=b'{"words": ["king"]}', headers=headers)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "no-such-path"),
        ("POST", "/neighbors/", 404, "no-such-path"),
        ("GET", "/neighbors", 405, "wrong-method"),
        ("PUT", "/analogy", 405, "wrong-method"),
        ("DELETE", "/", 405, "wrong-method"),
        ("POST", "/info", 405, "wrong-method"),
        ("TRACE", "/health", 405, "wrong-method"),
        ("OPTIONS", "/info", 405, "wrong-method"),
    ],
)
def test_paths_and_methods(
    client: TestClient, method: str, path: str, status: int, code: str
) -> None:
    answer = client.request(method, path)
    problem = check(answer, status, code)
    if status == 405:
        assert answer.headers["allow"] in problem["detail"]
        allowed = ["POST"] if path in ("/neighbors", "/analogy") else ["GET", "HEAD"]
        assert answer.headers["allow"].split(", ") == allowed


@pytest.mark.parametrize("path", ["/", "/info", "/health", "/openapi.json", "/neighbors", "/no"])
def test_head_is_get_without_the_body(client: TestClient, path: str) -> None:
    answer, whole = client.head(path), client.get(path)
    assert answer.content == b""
    assert answer.status_code == whole.status_code
    assert answer.headers["content-type"] == whole.headers["content-type"]
    assert answer.headers["content-security-policy"]
    assert client.get("/openapi.json").json()["paths"]["/info"].keys() == {"get"}


def test_a_mistake_in_here_is_not_told_to_who_asks(
    serve: Any, vectors: Vectors, monkeypatch: Any
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("a secret of the house")

    client = serve(vectors)
    monkeypatch.setattr("rowwise.serve.search.best_rows", fail)
    with pytest.raises(RuntimeError, match="a secret"):
        client.post("/neighbors", json={"words": ["king"]})
    client.app_state.clear()
    quiet = TestClient(client.app, base_url="http://localhost", raise_server_exceptions=False)
    problem = check(quiet.post("/neighbors", json={"words": ["king"]}), 500, "failed")
    assert "secret" not in str(problem)
    monkeypatch.undo()
    assert client.post("/neighbors", json={"words": ["king"]}).status_code == 200


@pytest.mark.parametrize(
    ("place", "pointer"),
    [
        ([], "#"),
        (["words", 3], "#/words/3"),
        (["a/b", "~"], "#/a~1b/~0"),
        (["é {"], "#/%C3%A9%20%7B"),
        (["x" * 1000], "#/" + "x" * 100),
    ],
)
def test_pointers(place: list[str | int], pointer: str) -> None:
    assert pointer_to(place) == pointer


def test_limits_are_told_where_they_are_asked(serve: Any, vectors: Vectors) -> None:
    limits = Limits(k=2, batch=1, characters=20)
    client = serve(vectors, limits=limits)
    assert client.get("/info").json()["limits"] == vars(limits)
    schema = create_app(vectors, limits=limits).openapi()["paths"]["/neighbors"]["post"]
    fields = schema["requestBody"]["content"]["application/json"]["schema"]["properties"]
    assert (fields["k"]["maximum"], fields["k"]["default"], fields["words"]["maxItems"]) == (
        2,
        2,
        1,
    )
    assert len(client.post("/neighbors", json={"words": ["king"]}).json()["results"][0]) == 2
