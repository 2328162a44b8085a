"""The page at ``/``."""

import asyncio
import threading
from concurrent.futures import Future
from typing import Any

from rowwise.errors import RowwiseError
from rowwise.serve.problems import Problem
from rowwise.serve.served import Served

# So many words are on the map; any word of the table can be searched. More would take minutes to
# be laid out.
_WORDS = 5_000

# Seconds that a browser waits for the page before it is told to ask again.
_PATIENCE = 1.0

_WAITING = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta http-equiv="refresh" content="1">
<meta name="color-scheme" content="light dark">
<title>rowwise</title>
<style>body { font: 1.1rem system-ui, sans-serif; margin: 20vh auto; text-align: center }</style>
<p>Words are being laid out. The page comes by itself.</p>
</html>
"""


class Explorer:
    """The live explorer, HTML that loads nothing from elsewhere; made when it is first asked for.

    Args:
        served: what is shown.
    """

    def __init__(self, served: Served) -> None:
        self._served = served
        self._making: Future[str] | None = None

    async def page(self) -> str:
        """The page; while it is made, one that asks again by itself.

        Raises:
            Problem: nothing can be laid out, or a package is missing.
        """
        if self._making is None:
            self._making = Future()
            # A server that stops does not wait for it.
            threading.Thread(target=self._make, args=(self._making,), daemon=True).start()
        waiting = asyncio.wrap_future(self._making)
        await asyncio.wait([waiting], timeout=_PATIENCE)
        try:
            return waiting.result() if waiting.done() else _WAITING
        except RowwiseError as error:
            raise Problem(404, "no-page", f"There is no page to show. {error}") from None

    def _make(self, making: "Future[str]") -> None:
        try:
            making.set_result(_made(self._served))
        except Exception as error:
            making.set_exception(error)


def _made(served: Served) -> str:
    from rowwise.viz import page_html

    classifier, vectors = served.classifier, served.vectors
    words = list(vectors.words[:_WORDS])
    if classifier is None:
        return page_html(vectors, words, title=served.name)
    classes = [str(label) for label in classifier.classes_]
    # What a text would be that has no other word.
    with served.lock:
        probabilities = classifier.predict_proba(words)
    colour: dict[str, Any]
    if len(classes) == 2:
        colour = {f"probability of “{classes[1]}”": probabilities[:, 1]}
    else:
        colour = {"label": [classes[best] for best in probabilities.argmax(axis=1)]}
    return page_html(vectors, words, color=colour, title=served.name, classes=classes)
