"""Pages of the documentation, followed as a reader would: code, commands and what they print.

The convention: the ``python`` blocks of a page run from top to bottom in one namespace. A
``text`` block that follows one directly is what it prints; a block without one prints nothing.
In a ``console`` block a line that starts with ``$`` is a command, and what follows is what it
prints. ``...`` in expected output stands for anything.
"""

import io
import re
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from rowwise.cli import main

# Commands that set something up outside Python, which are shown and not run.
NOT_RUN = ("cd", "git", "make", "pip", "python", "python3", "source")

_FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Step:
    """One thing that a reader runs, and what the page says it prints."""

    line: int
    """Where its block starts in the page."""
    language: str
    """``python`` or ``console``."""
    source: str
    """The code, or the command without its ``$``."""
    expected: str


def read_steps(page: Path) -> list[Step]:
    """The steps of a page, from top to bottom."""
    text = page.read_text(encoding="utf-8")
    fences = list(_FENCE.finditer(text))
    assert text.count("```") == 2 * len(fences), f"{page.name}: a fence is indented or not closed"
    steps: list[Step] = []
    for position, fence in enumerate(fences):
        language, content = fence[1], fence[2]
        line = text.count("\n", 0, fence.start()) + 1
        if language == "console":
            steps += _commands(content, line)
        elif language == "python":
            steps.append(Step(line, language, content, _printed(text, fences[position:])))
    return steps


def _printed(text: str, fences: list[re.Match[str]]) -> str:
    """What the page says the first of ``fences`` prints: the next one, if it follows directly."""
    if len(fences) < 2 or fences[1][1] != "text":
        return ""
    between = text[fences[0].end() : fences[1].start()]
    return "" if between.strip() else fences[1][2]


def _commands(content: str, line: int) -> Iterator[Step]:
    joined = content.replace("\\\n", " ")
    for piece in re.split(r"^\$ ", joined, flags=re.MULTILINE)[1:]:
        command, _, expected = piece.partition("\n")
        yield Step(line, "console", command, expected)


class Reader:
    """Follows one page, in the current folder.

    Args:
        page: the page's name, for tracebacks.
    """

    def __init__(self, page: str) -> None:
        self._page = page
        self._names: dict[str, Any] = {"__name__": "__page__"}
        self._exit_code = 0

    def follow(self, step: Step) -> str:
        """Run the step; what it prints, for a command with what it prints on standard error."""
        output = io.StringIO()
        with redirect_stdout(output):
            if step.language == "python":
                # Empty lines in front, so that a traceback names the page's own line.
                code = "\n" * step.line + step.source
                exec(compile(code, self._page, "exec"), self._names)
            else:
                with redirect_stderr(output):
                    self._run(shlex.split(step.source))
        return output.getvalue()

    def _run(self, words: list[str]) -> None:
        if words == ["echo", "$?"]:
            print(self._exit_code)
            return
        assert words[0] == "rowwise", f"only rowwise and {', '.join(NOT_RUN)} are known: {words}"
        entered = b""
        if "<" in words:
            place = words.index("<")
            entered = Path(words[place + 1]).read_bytes()
            del words[place : place + 2]
        stdin = io.TextIOWrapper(io.BytesIO(entered), encoding="utf-8")
        with patch.object(sys, "argv", words), patch.object(sys, "stdin", stdin):
            self._exit_code = _exit_code_of(main)


def _exit_code_of(function: Callable[[], None]) -> int:
    try:
        function()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def agrees(expected: str, printed: str) -> bool:
    """Whether ``printed`` is what was expected; white space at the ends of lines is no matter."""
    pieces = [re.escape(piece) for piece in _trimmed(expected).split("...")]
    return re.fullmatch(".*?".join(pieces), _trimmed(printed), re.DOTALL) is not None


def is_run(step: Step) -> bool:
    """Whether the step is one that is not only shown."""
    return step.language == "python" or step.source.split()[0] not in NOT_RUN


def _trimmed(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.rstrip().split("\n"))
