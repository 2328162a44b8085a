"""The OpenAPI document is kept: what schemathesis asks from it is answered as it says."""

import json
from collections import Counter
from typing import Any

import schemathesis
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.engine import Status, events, from_schema
from schemathesis.generation import GenerationMode

from rowwise import TextClassifier, Vectors
from rowwise.serve import Limits, create_app

TOKEN = "0123456789abcdef"
LIMITS = Limits(batch=8, explained=4, characters=40, k=20)
CONFIG: dict[str, Any] = {
    "seed": 0,
    "generation": {"max-examples": 25, "database": "none"},
    "phases": {"stateful": {"enabled": False}},  # no request has to do with another
    # Requests that fit the document and are refused all the same: see below.
    "checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", 422]}},
}


@schemathesis.check
def only_words_are_refused(context: Any, response: Any, case: Any) -> None:
    """What fits the document is answered, unless a word has no row or a formula is none."""
    if case.meta is None or case.meta.generation.mode is not GenerationMode.POSITIVE:
        return
    if response.status_code == 422:
        problem = json.loads(response.content)
        texts = case.body.get("texts", []) if isinstance(case.body, dict) else []
        too_many = len(texts) > LIMITS.explained
        assert problem["code"] in ("unknown-word", "bad-formula") or too_many, problem


def test_all_checks_are_made() -> None:
    load_all_checks()
    names = set(CHECKS.get_all_names())
    assert {"negative_data_rejection", "response_schema_conformance", "ignored_auth"} <= names
    assert "only_words_are_refused" in names


def ask(app: Any, headers: dict[str, str] | None = None) -> Counter[str]:
    """Let schemathesis ask; how many requests it made of each path."""
    sent = headers or {}
    config = schemathesis.Config.from_dict({**CONFIG, "headers": sent})
    schema = schemathesis.openapi.from_asgi("/openapi.json", app, config=config, headers={**sent})
    asked: Counter[str] = Counter()
    failed = []
    for event in from_schema(schema).execute():
        if isinstance(event, events.NonFatalError | events.FatalError):
            failed.append(str(event.info if hasattr(event, "info") else event.exception))
        if isinstance(event, events.ScenarioFinished):
            asked[event.label or ""] += len(event.recorder.cases)
            for case, checks in event.recorder.checks.items():
                failed += [
                    f"{check.name}: {event.recorder.cases[case].value.as_curl_command()}\n"
                    f"{check.failure_info.failure if check.failure_info else ''}"
                    for check in checks
                    if check.status is Status.FAILURE
                ]
    assert not failed, f"{len(failed)} failed, the first ones:\n" + "\n\n".join(failed[:5])
    return asked


def test_vectors_are_served_as_documented(vectors: Vectors) -> None:
    asked = ask(create_app(vectors, limits=LIMITS, allow_hosts=["testserver"]))
    for label in ("POST /neighbors", "POST /analogy", "POST /embed"):
        assert asked[label] > 50
    assert set(asked) >= {"GET /info", "GET /health"}


def test_a_classifier_is_served_as_documented(classifier: TextClassifier) -> None:
    app = create_app(classifier, limits=LIMITS, token=TOKEN, allow_hosts=["testserver"])
    asked = ask(app, {"Authorization": f"Bearer {TOKEN}"})
    assert asked["POST /predict"] > 50
