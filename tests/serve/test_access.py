"""Who may ask: hosts, tokens, pages of other origins."""

from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from rowwise import Vectors
from rowwise.errors import InvalidArgumentError
from rowwise.serve import create_app
from rowwise.serve.access import Hosts, has_token, is_loopback

TOKEN = "0123456789abcdef-._~"
PATHS = [("GET", "/"), ("GET", "/info"), ("GET", "/health"), ("GET", "/openapi.json")]
PATHS += [("POST", "/neighbors"), ("POST", "/predict"), ("GET", "/nothing"), ("OPTIONS", "/info")]


@pytest.mark.parametrize(
    ("host", "is_allowed"),
    [
        ("localhost", True),
        ("LOCALHOST:8000", True),
        ("127.0.0.1", True),
        ("127.0.0.1:8000", True),
        ("[::1]:8000", True),
        ("localhost.", True),
        ("words.example.org:443", True),
        ("10.1.2.3", True),
        ("example.org", False),
        ("words.example.org.evil.org", False),
        ("127.0.0.1.evil.org", False),
        ("evil.org:127.0.0.1", False),
        ("localhost:80000000", False),
        ("user@localhost", False),
        ("localhost/evil", False),
        ("127.0.0.2", False),
        ("[::1", False),
        ("", False),
        ("löcalhost", False),
    ],
)
def test_only_known_hosts_are_answered_to(
    serve: Any, vectors: Vectors, host: str, is_allowed: bool
) -> None:
    client = serve(vectors, allow_hosts=["Words.example.org", "10.1.2.3"])
    answer = client.get("/info", headers={"host": host.encode()})
    assert answer.status_code == (200 if is_allowed else 421)
    if not is_allowed:
        assert answer.json()["code"] == "bad-host"
        assert "--allow-host" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("bound", "header", "is_allowed"),
    [
        (None, b"192.168.1.5", False),
        ("192.168.1.5", b"192.168.1.5:8000", True),
        ("192.168.1.5", b"192.168.1.6:8000", False),
        ("0.0.0.0", b"192.168.1.6:8000", True),
        ("::", b"[fe80::1]:8000", True),
        ("0.0.0.0", b"rebound.example.org", False),
    ],
)
def test_the_address_that_is_listened_on_is_a_host(
    bound: str | None, header: bytes, is_allowed: bool
) -> None:
    assert Hosts(bound).allows(header) is is_allowed


def test_a_request_has_one_host(client: TestClient) -> None:
    twice = client.get("/info", headers=[("host", "localhost"), ("host", "localhost")])
    assert (twice.status_code, twice.json()["code"]) == (400, "bad-host")


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_every_request_must_carry_the_token(
    serve: Any, vectors: Vectors, method: str, path: str
) -> None:
    client = serve(vectors, token=TOKEN)
    wrong = [None, "Bearer", "Bearer ", f"Bearer {TOKEN}x", f"Basic {TOKEN}", TOKEN, "Bearer é"]
    for sent in wrong:
        headers = {} if sent is None else {"authorization": sent.encode()}
        answer = client.request(method, path, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == ("no-token" if sent is None else "wrong-token")
        assert TOKEN not in answer.text
    for scheme in ("Bearer", "bearer"):
        answer = client.request(method, path, headers={"authorization": f"{scheme} {TOKEN}"})
        assert answer.status_code != 401


@pytest.mark.parametrize(
    ("address", "status"),
    [
        (f"/?token={TOKEN}", 200),
        (f"/?x=1&token={TOKEN}", 200),
        (f"/?token={TOKEN}x", 401),
        ("/?token=", 401),
        (f"/?token=x&token={TOKEN}", 401),
        (f"/info?token={TOKEN}", 401),
        (f"/openapi.json?token={TOKEN}", 401),
    ],
)
def test_the_page_alone_takes_the_token_in_its_address(
    serve: Any, vectors: Vectors, address: str, status: int
) -> None:
    assert serve(vectors, token=TOKEN).get(address).status_code == status


def test_a_page_within_another_application_takes_the_token(vectors: Vectors) -> None:
    within = Starlette(routes=[Mount("/words", create_app(vectors, token=TOKEN))])
    client = TestClient(within, base_url="http://localhost")
    for path, status in (("/words/", 200), ("/words/info", 401), ("/words/words/", 401)):
        assert client.get(path, params={"token": TOKEN}).status_code == status
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    asked = client.post("/words/neighbors", json={"words": ["king"]}, headers=bearer)
    assert asked.status_code == 200


@pytest.mark.parametrize("query", [b"token=\xff\xfe", b"token=%FF", b"&&&", b"token", b"=%"])
def test_odd_addresses_carry_no_token(query: bytes) -> None:
    assert not has_token(TOKEN, None, "/", query)


@pytest.mark.parametrize("token", ["short", "", "with space in the middle", "é" * 20, "a" * 15, 3])
def test_a_token_that_is_none_is_refused_and_not_shown(vectors: Vectors, token: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="at least 16 characters") as raised:
        create_app(vectors, token=token)
    assert not token or str(token) not in str(raised.value).replace("16 characters", "")


def preflight(client: TestClient, origin: str) -> Any:
    asked = {"origin": origin, "access-control-request-method": "POST"}
    return client.options("/neighbors", headers=asked)


def test_no_page_of_another_origin_is_answered_unless_asked(client: TestClient) -> None:
    origin = "https://words.example.org"
    assert preflight(client, origin).status_code == 405
    answer = client.post("/neighbors", json={"words": ["king"]}, headers={"origin": origin})
    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"


def test_pages_of_named_origins_are_answered(serve: Any, vectors: Vectors) -> None:
    origin = "https://words.example.org"
    client = serve(vectors, cors=[origin, "http://localhost:3000"], token=TOKEN)
    allowed = preflight(client, origin)
    assert (allowed.status_code, allowed.content) == (204, b"")
    assert allowed.headers["access-control-allow-origin"] == origin
    assert "authorization" in allowed.headers["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in allowed.headers
    bearer = {"authorization": f"Bearer {TOKEN}"}
    for status, headers in ((200, bearer), (401, {})):
        answer = client.get("/info", headers={"origin": origin, **headers})
        assert answer.status_code == status
        assert answer.headers["access-control-allow-origin"] == origin
        assert answer.headers["vary"] == "origin"
    for other in ("https://evil.example.org", "null", f"{origin}.evil.org", f"{origin}:8443"):
        assert preflight(client, other).status_code == 401
        answer = client.get("/info", headers={"origin": other, **bearer})
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    "origin",
    [
        "*",
        "null",
        "words.example.org",
        "https://a.org/",
        "https://a.org/x",
        "ftp://a.org",
        "",
        3,
        "https://user@a.org",
        "https://a.org?x",
        "https://",
    ],
)
def test_what_is_no_origin_is_refused(vectors: Vectors, origin: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="An origin is a scheme and a host"):
        create_app(vectors, cors=[origin])


@pytest.mark.parametrize("host", ["", "a b", "http://a.org", "a.org/x", "é"])
def test_what_is_no_host_is_refused(vectors: Vectors, host: str) -> None:
    with pytest.raises(InvalidArgumentError, match="A host is a name or an address"):
        create_app(vectors, allow_hosts=[host])


@pytest.mark.parametrize(
    ("address", "is_own"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.0.1", False),
        ("fe80::1%eth0", False),
    ],
)
def test_addresses_of_this_machine_alone(address: str, is_own: bool) -> None:
    assert is_loopback(address) is is_own


def test_every_answer_has_the_safe_headers(client: TestClient) -> None:
    answers = [client.get("/info"), client.get("/nothing"), client.put("/info"), client.get("/")]
    answers.append(client.get("/info", headers={"host": "evil.org"}))
    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert "server" not in answer.headers
