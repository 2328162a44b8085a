"""Errors as answers: ``application/problem+json``, as RFC 9457 describes it."""

import json
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import quote

MEDIA_TYPE = "application/problem+json"

# As RFC 9110 has them; those of Python's older versions are older.
_PHRASES = {413: "Content Too Large", 422: "Unprocessable Content"}

Headers = list[tuple[bytes, bytes]]


class FieldError(NamedTuple):
    """What is wrong with one field of a request."""

    pointer: str
    """Where it stands, a JSON Pointer as a fragment: ``#/words/3``."""
    detail: str


class Problem(Exception):
    """A request that is answered by an error.

    Args:
        status: of HTTP.
        code: a short name that programs can compare, such as ``unknown-word``.
        detail: whole sentences: what was expected, what came, what to do.
        fields: the fields of the request that are to blame.
        headers: that the answer has besides.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        fields: Iterable[FieldError] = (),
        headers: Iterable[tuple[str, str]] = (),
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail
        self.fields, self.headers = list(fields), list(headers)

    def body(self) -> bytes:
        """The answer's body, JSON."""
        # The type "about:blank" says that the title is that of the status; `code` says more.
        value: dict[str, Any] = {
            "type": "about:blank",
            "title": title_of(self.status),
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
        }
        if self.fields:
            value["errors"] = [field._asdict() for field in self.fields]
        return json.dumps(value).encode()

    def raw_headers(self) -> Headers:
        """The answer's headers, as ASGI takes them."""
        return [
            (b"content-type", MEDIA_TYPE.encode()),
            (b"content-length", str(len(self.body())).encode()),
            *((name.lower().encode(), value.encode()) for name, value in self.headers),
        ]


def field_problem(code: str, pointer: str, detail: str, status: int = 422) -> Problem:
    """The problem with one field."""
    return Problem(status, code, detail, [FieldError(pointer, detail)])


def pointer_to(place: Iterable[str | int]) -> str:
    """The JSON Pointer (RFC 6901), as the fragment of an address, to a place in a document."""
    parts = (str(part)[:100].replace("~", "~0").replace("/", "~1") for part in place)
    return "#" + "".join(f"/{quote(part, safe='~', errors='replace')}" for part in parts)


def title_of(status: int) -> str:
    """The phrase of a status, such as ``Not Found``."""
    return _PHRASES.get(status) or HTTPStatus(status).phrase
