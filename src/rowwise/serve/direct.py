"""The way from the gate of an application to the endpoints that are asked most."""

from collections.abc import Mapping

from rowwise.serve.bodies import Receive
from rowwise.serve.gate import App, Scope, Send


class Direct:
    """Answers a POST by its endpoint, and leaves every other request to the application.

    FastAPI looks for the route of a request, and passes its answer through several hands, which
    takes longer than the endpoint. What an endpoint raises is answered by the gate, in the same
    way.

    Args:
        app: an application of ASGI.
        answers: its endpoints that take POST, by their paths.
    """

    def __init__(self, app: App, answers: Mapping[str, App]) -> None:
        self._app, self._answers = app, answers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, as ASGI has it."""
        answer = self._app
        # Within another application the path begins with another one, which Starlette looks at.
        if scope["type"] == "http" and scope["method"] == "POST" and not scope.get("root_path"):
            answer = self._answers.get(scope["path"], answer)
        await answer(scope, receive, send)
