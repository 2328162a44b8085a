"""The short way to the endpoints that are asked most, past what they do not need."""

import logging
from collections.abc import Awaitable, Callable, Mapping

from rowwise.serve.problems import Headers, Problem
from rowwise.serve.rules import FAILED, Rules
from rowwise.serve.wire import Head, Reply

# What takes the body of a request and its Content-Type, and returns the JSON of the answer.
Answer = Callable[[bytes, str], Awaitable[bytes]]


class ShortWay:
    """Answers a POST that is there as a whole, as the application does.

    Between a socket and an endpoint, ASGI, FastAPI and Starlette take several times as long as
    the endpoint.

    Args:
        answers: the endpoints that take POST, by their paths.
        rules: that requests must keep to.

    Attributes:
        rules: as given.
    """

    def __init__(self, answers: Mapping[str, Answer], rules: Rules) -> None:
        self._answers, self.rules = answers, rules

    def takes(self, head: Head) -> bool:
        """Whether a request with this head is answered here."""
        return head.path in self._answers and head.length <= self.rules.limits.body_bytes

    async def answer(self, head: Head, body: bytes) -> Reply:
        """The answer to a request that is taken here."""
        rules, headers = self.rules, head.headers
        try:
            rules.check_host([headers[b"host"]] if b"host" in headers else [])
            rules.check_token(headers.get(b"authorization"), head.path, b"")
            kind = headers.get(b"content-type", b"").decode()
            found = await self._answers[head.path](body, kind)
        except Problem as problem:
            return self.refusal(head, problem)
        except Exception:
            logging.getLogger("uvicorn.error").exception("An answer failed.")
            return self.refusal(head, FAILED)
        own = [(b"content-length", b"%d" % len(found)), (b"content-type", b"application/json")]
        return Reply(200, own + self._more_headers(head), found)

    def refusal(self, head: Head, problem: Problem) -> Reply:
        """A problem as the answer to a request."""
        headers = problem.raw_headers() + self._more_headers(head)
        return Reply(problem.status, headers, problem.body())

    def _more_headers(self, head: Head) -> Headers:
        return self.rules.headers_for(head.headers.get(b"origin"))
