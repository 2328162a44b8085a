"""The short way to the endpoints that are asked most, past what they do not need."""

from collections.abc import Mapping

from rowwise.serve.bodies import Receive
from rowwise.serve.gate import App, Scope, Send


class Direct:
    """Answers a POST to a path by itself, and leaves every other request to the application.

    FastAPI looks for the route of a request, keeps a stack for what has to be closed after it,
    and passes each part of the answer through several hands, which takes longer than the
    endpoint. What an endpoint raises is answered by the gate, in the same way.

    Args:
        app: an application of ASGI.
        answers: its endpoints that take POST, by their paths.
    """

    def __init__(self, app: App, answers: Mapping[str, App]) -> None:
        self._app, self._answers = app, answers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, as ASGI has it."""
        await self._answer_of(scope)(scope, receive, send)

    def _answer_of(self, scope: Scope) -> App:
        # Within another application the path begins with another one, which Starlette looks at.
        if scope["type"] != "http" or scope["method"] != "POST" or scope.get("root_path"):
            return self._app
        return self._answers.get(scope["path"], self._app)
