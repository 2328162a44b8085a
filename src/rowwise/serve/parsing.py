"""The body of a request as a checked value, and what is wrong with it."""

from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from rowwise.serve.messages import Asked
from rowwise.serve.problems import FieldError, Problem, pointer_to

# Errors of one request that are named.
_NAMED = 10


def parse(asked: Asked, body: bytes, content_type: str) -> Any:
    """The value that a body of JSON holds.

    Args:
        asked: what it may be.
        body: the body.
        content_type: the header Content-Type; empty where there is none.

    Raises:
        Problem: the body is not said to be JSON, is no JSON, or holds something else than what
            is asked for; the problem names the fields.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind != "application/json":
        # Also for safety: pages of other sites may send other types without asking first.
        shown = f"Received: {kind[:100]}." if kind else "Received none."
        raise Problem(
            415,
            "not-json",
            "The body must be JSON, with the header 'Content-Type: application/json' (curl: -H "
            f"'Content-Type: application/json'). {shown}",
        )
    try:
        return asked.adapter.validate_json(body)
    except ValidationError as error:
        raise _problem(error, asked, body) from None


def _problem(error: ValidationError, asked: Asked, body: bytes) -> Problem:
    found = error.errors(include_url=False, include_input=False, include_context=False)
    if found[0]["type"] == "json_invalid":
        if not body:
            return Problem(400, "bad-json", "The body is empty. It must be JSON.")
        return Problem(400, "bad-json", f"The body is no JSON. {found[0]['msg']}.")
    if found[0]["type"] == "missing":  # likely for a name that is misspelt, which nobody asked for
        found.sort(key=lambda each: each["type"] != "extra_forbidden")
    fields = [
        FieldError(pointer_to(each["loc"]), _sentence(each, asked)) for each in found[:_NAMED]
    ]
    name = _name(found[0]["loc"])
    detail = f"{name}: {fields[0].detail}" if name else fields[0].detail
    more = f" And {len(found) - 1:,} more." if found[1:] else ""
    return Problem(422, "bad-field", f"{detail}{more}", fields)


def _sentence(error: ErrorDetails, asked: Asked) -> str:
    if error["type"] == "extra_forbidden":
        known = ", ".join(f"`{name}`" for name in asked.schema["properties"])
        return f"There is no such field. The fields are {known}."
    said = f"{error['msg']}." if error["msg"] else "It is wrong."
    if error["type"] == "list_type":
        said += ' A single one is written as a list, too: ["good"].'
    return said


def _name(place: tuple[int | str, ...]) -> str:
    """A place in a document as Python writes it: ``words[3]``."""
    parts = [f"[{part}]" if isinstance(part, int) else f".{part[:100]}" for part in place]
    return f"`{''.join(parts).removeprefix('.')}`" if parts else ""
