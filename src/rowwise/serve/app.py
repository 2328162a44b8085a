"""``create_app``: a server as an ASGI application."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rowwise.errors import MissingExtraError
from rowwise.serve.access import Hosts, check_origins, check_token
from rowwise.serve.limits import Limits
from rowwise.serve.rules import Rules
from rowwise.serve.served import Served

if TYPE_CHECKING:
    from fastapi import FastAPI

    from rowwise.serve.short_way import ShortWay


def create_app(
    model: Any,
    *,
    name: str | None = None,
    limits: Limits | None = None,
    token: str | None = None,
    allow_hosts: Iterable[str] = (),
    cors: Iterable[str] = (),
) -> "FastAPI":
    """An application of ASGI that answers questions about vectors or a classifier.

    ``POST /neighbors``, ``/analogy`` and ``/embed``; for a classifier also ``/predict``; ``GET
    /info``, ``/health``, ``/openapi.json`` and, at ``/``, the live explorer. Requests that come at
    the same time are answered together, in batches, by one thread. Errors are
    ``application/problem+json`` (RFC 9457) and name the field.

    Args:
        model: ``Vectors``, or a fitted ``TextClassifier``, whose ``word_vectors()`` are served
            with it.
        name: what it is called in answers.
        limits: how much one request may ask.
        token: what every request must carry as ``Authorization: Bearer TOKEN``; the page's
            address may end in ``/?token=TOKEN`` instead. At least 16 letters, digits and any of
            ``._~+/=-``.
        allow_hosts: names and addresses that the Host header of a request may have, beside
            ``localhost``, ``127.0.0.1`` and ``::1``.
        cors: origins, such as ``https://words.example.org``, of pages whose scripts may read
            the answers.

    Raises:
        InvalidArgumentError: an argument makes no sense.
        MissingExtraError: FastAPI is not installed.
    """
    checks = Checks(token, tuple(allow_hosts), tuple(cors))
    app, _ = make_app(model, name, limits, checks)
    return app


@dataclass(frozen=True)
class Checks:
    """What requests are checked for, see ``create_app``."""

    token: str | None
    allow_hosts: tuple[str, ...]
    cors: tuple[str, ...]
    bound: str | None = None
    """The address that the server listens on, where it is known."""


def make_app(
    model: Any,
    name: str | None,
    limits: Limits | None,
    checks: Checks,
) -> "tuple[FastAPI, ShortWay]":
    """``create_app``, and the short way to its endpoints; raises as ``create_app`` does."""
    try:
        import fastapi  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("A server", "fastapi", "explore") from error
    from rowwise.serve.application import build

    token = None if checks.token is None else check_token(checks.token)
    hosts, origins = Hosts(checks.bound, checks.allow_hosts), check_origins(checks.cors)
    limits = Limits() if limits is None else limits
    rules = Rules(limits, hosts, token, origins)
    return build(Served(model, name, limits), rules, token is not None)
