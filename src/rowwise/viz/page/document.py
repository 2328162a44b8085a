"""The HTML of a page: style, scripts and data in one document that asks nothing of a network."""

import base64
import hashlib
import os
from functools import cache
from html import escape
from importlib.resources import files
from pathlib import Path

from rowwise.errors import InvalidArgumentError, MissingExtraError
from rowwise.files import check_folder_of
from rowwise.viz.page.packing import compressed

# In the order in which they build on each other.
_SHARED = ("unpack.js", "looks.js", "shared.js")
_PAGE = (
    *_SHARED,
    "formula.js",
    "table.js",
    "room.js",
    "plot.js",
    "search.js",
    "server.js",
    "classifying.js",
    "app.js",
)
_JOURNEY = (*_SHARED, "journey.js")


def check_page(path: str | os.PathLike[str]) -> None:
    """See that a page can be written, before what takes long.

    Raises:
        InvalidArgumentError: another suffix than .html.
        FileNotFoundError: the folder does not exist.
        MissingExtraError: plotly is not installed.
    """
    target = Path(path)
    if target.suffix.lower() not in (".html", ".htm"):
        raise InvalidArgumentError(f"A page is written to a .html file. Received: {str(path)!r}.")
    check_folder_of(target)
    _plotly()


def page_document(title: str, data: str, live: bool) -> bytes:
    """A page to look at words in.

    Args:
        title: of the page; any characters.
        data: what ``packing.packed`` gives.
        live: whether it may ask the server that it comes from.
    """
    return _document("page.html", title, data, _PAGE, "'self'" if live else "'none'")


def journey_document(title: str, data: str) -> bytes:
    """A page on which words travel; see ``page_document``."""
    return _document("journey.html", title, data, _JOURNEY, "'none'")


def _document(body: str, title: str, data: str, scripts: tuple[str, ...], asked: str) -> bytes:
    plotly, script = _plotly(), _joined(scripts)
    # Whatever a word may be, nothing but these two scripts runs, and nothing is loaded. plotly
    # compiles what it draws with, which is called eval.
    policy = (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data: blob:; "
        f"script-src {_digest(script)} {_digest(plotly)} 'unsafe-eval'; "
        f"connect-src {asked}; base-uri 'none'; form-action 'none'"
    )
    parts = {
        "POLICY": policy,
        "TITLE": escape(title),
        "STYLE": _asset("page.css"),
        "BODY": _asset(body),
        "DATA": data,
        "PLOTLY": _compressed_plotly(),
        "SCRIPT": script,
    }
    page = _asset("frame.html")
    for name, part in parts.items():
        page = page.replace(f"<!--{name}-->", part, 1)
    return page.encode(errors="replace")  # a title may hold what is no character


def _asset(name: str) -> str:
    return (files("rowwise.viz.page") / "assets" / name).read_text(encoding="utf-8")


@cache
def _joined(scripts: tuple[str, ...]) -> str:
    inner = "\n".join(map(_asset, scripts))
    return f'"use strict";\n(() => {{\n{inner}\n}})();\n'


@cache
def _plotly() -> str:
    """The whole of plotly.js, as the package plotly brings it."""
    try:
        from plotly.offline import get_plotlyjs
    except ImportError as error:
        raise MissingExtraError("A page", "plotly", "explore") from error
    script: str = get_plotlyjs()
    return script


@cache
def _compressed_plotly() -> str:
    return compressed(_plotly().encode())


def _digest(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
