"""Ways to cut texts, for other processes to import."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass
class EndsItsProcess:
    """Ends the process that meets the word "end", as a lack of memory would, so many times."""

    folder: Path
    times: int

    def __call__(self, text: str) -> list[str]:
        words = text.split()
        if "end" in words and len(list(self.folder.iterdir())) < self.times:
            (self.folder / str(os.getpid())).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return words


@dataclass
class Waits:
    """Leaves a file named like the process, and waits."""

    folder: Path

    def __call__(self, text: str) -> list[str]:
        (self.folder / str(os.getpid())).touch()
        time.sleep(60)
        return [text]


def fails(text: str) -> list[str]:
    raise ZeroDivisionError(text)


class OddError(Exception):
    """Cannot be read back: it needs two arguments."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(one + two)


def fails_oddly(text: str) -> list[str]:
    raise OddError("odd ", text)


def prints(text: str) -> list[str]:
    print(text)
    return text.split()
