"""The way from the gate of an application to the endpoints that are asked most."""

from collections.abc import Mapping

from rowwise.serve.bodies import Receive
from rowwise.serve.gate import App, Scope, Send
from rowwise.serve.short_way import Answer, json_headers


class Direct:
    """Answers a POST by its endpoint, and leaves every other request to the application.

    FastAPI looks for the route of a request, and passes its answer through several hands, which
    takes longer than the endpoint. What an endpoint raises is answered by the gate, in the same
    way.

    Args:
        app: an application of ASGI.
        answers: its endpoints that take POST, by their paths.
    """

    def __init__(self, app: App, answers: Mapping[str, Answer]) -> None:
        self._app, self._answers = app, answers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, as ASGI has it."""
        answer = None
        # Within another application the path begins with another one, which Starlette looks at.
        if scope["type"] == "http" and scope["method"] == "POST" and not scope.get("root_path"):
            answer = self._answers.get(scope["path"])
        if answer is None:
            return await self._app(scope, receive, send)
        kinds = (value for name, value in scope["headers"] if name == b"content-type")
        body: bytes = (await receive())["body"]  # in one piece, by the gate
        found = await answer(body, next(kinds, b"").decode("latin-1"))
        headers = json_headers(found)
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": found})
        return None
