"""The short way to the endpoints that are asked most, past what they do not need."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

from rowwise.serve.problems import Headers, Problem
from rowwise.serve.rules import FAILED, STOPPED, Rules
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
    """

    def __init__(self, answers: Mapping[str, Answer], rules: Rules) -> None:
        self._answers, self._rules = answers, rules

    def takes(self, head: Head) -> bool:
        """Whether a request with this head is answered here."""
        return head.path in self._answers and head.length <= self._rules.limits.body_bytes

    async def answer(self, head: Head, body: bytes) -> Reply:
        """The answer to a request that is taken here.

        Raises:
            CancelledError: the task was cancelled, and the server is not about to stop.
        """
        rules, headers = self._rules, head.headers
        try:
            rules.check_host([headers[b"host"]] if b"host" in headers else [])
            rules.check_token(headers.get(b"authorization"), head.path, b"")
            async with asyncio.timeout(rules.limits.seconds):
                kind = headers.get(b"content-type", b"").decode()
                found = await self._answers[head.path](body, kind)
            status, own = 200, _json_headers(found)
        except asyncio.CancelledError:
            if not rules.ending.is_near:
                raise
            status, own, found = _told(STOPPED)
        except Problem as problem:
            status, own, found = _told(problem)
        except TimeoutError:
            status, own, found = _told(rules.too_slow())
        except Exception:
            logging.getLogger("uvicorn.error").exception("An answer failed.")
            status, own, found = _told(FAILED)
        return Reply(status, own + rules.headers_for(headers.get(b"origin")), found)


def _json_headers(body: bytes) -> Headers:
    return [(b"content-length", b"%d" % len(body)), (b"content-type", b"application/json")]


def _told(problem: Problem) -> Reply:
    return Reply(problem.status, problem.raw_headers(), problem.body())
