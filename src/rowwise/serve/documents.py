"""The OpenAPI document: what endpoints take, and every way in which they answer."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from rowwise.serve.messages import Asked, ProblemAnswer
from rowwise.serve.problems import MEDIA_TYPE

_ALWAYS = {
    "400": "The request is not one of HTTP, or its body is no JSON.",
    "408": "The request did not come to its end in time.",
    "413": "The body is too large.",
    "421": "The Host header names another server.",
    "431": "The head of the request is too large.",
    "503": "Too many requests wait already, or the server stops.",
    "504": "There was no answer in time.",
}
_WITH_BODY = {
    "415": "The body is not said to be JSON.",
    "422": "A field is wrong; `errors` names it.",
}
_WITH_TOKEN = {"401": "The request does not carry the token."}


def described(answer: type[BaseModel], asked: Asked | None = None) -> dict[str, Any]:
    """How an endpoint is documented, as arguments of ``add_api_route``."""
    problems = {**_ALWAYS, **(_WITH_BODY if asked else {})}
    described: dict[str, Any] = {
        "response_model": None,  # answers are written as JSON by those who know them
        "responses": {200: {"model": answer}, **{k: _problem(v) for k, v in problems.items()}},
    }
    if asked is not None:
        content = {"application/json": {"schema": asked.schema}}
        described["openapi_extra"] = {"requestBody": {"required": True, "content": content}}
    return described


def openapi_of(app: FastAPI, has_token: bool) -> dict[str, Any]:
    """The document for ``app``."""
    document = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    schemas = document["components"]["schemas"]
    schema = ProblemAnswer.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(schema.pop("$defs"))
    schemas["ProblemAnswer"] = schema
    if has_token:
        document["components"]["securitySchemes"] = {
            "token": {"type": "http", "scheme": "bearer"},
        }
        document["security"] = [{"token": []}]
        for path in document["paths"].values():
            for operation in path.values():
                operation["responses"].update({k: _problem(v) for k, v in _WITH_TOKEN.items()})
    return document


def _problem(description: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/ProblemAnswer"}
    return {"description": description, "content": {MEDIA_TYPE: {"schema": schema}}}
