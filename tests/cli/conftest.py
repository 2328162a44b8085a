"""Running commands, and one run that the tests share."""

import csv
import io
import json
import sys
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import pytest

from rowwise.cli import main


class Result(NamedTuple):
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def json_lines(self):
        return [json.loads(line) for line in self.out.splitlines()]


class Run(NamedTuple):
    """A trained run: its folder, the file that it was trained on, and what ``train`` printed."""

    folder: Path
    file: Path
    report: dict


def run_command(*arguments: object, stdin: bytes = b"") -> Result:
    """Run ``rowwise`` in this process, as if its output went to files."""
    before = sys.stdin, sys.stdout, sys.stderr
    streams = [
        io.TextIOWrapper(io.BytesIO(content), encoding="utf-8") for content in (stdin, b"", b"")
    ]
    sys.stdin, sys.stdout, sys.stderr = streams
    try:
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
    finally:
        sys.stdin, sys.stdout, sys.stderr = before
    printed = []
    for stream in streams[1:]:
        stream.seek(0)
        printed.append(stream.read())
    return Result(int(ended.value.code or 0), *printed)


@pytest.fixture(scope="session")
def rowwise() -> Callable[..., Result]:
    return run_command


def write_rows(path: Path, *rows: tuple[str, ...]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return path


@pytest.fixture(scope="session")
def write_csv() -> Callable[..., Path]:
    return write_rows


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run on the shipped reviews, long enough to learn something."""
    base = tmp_path_factory.mktemp("trained")
    file = base / "reviews.csv"
    file.write_bytes((files("rowwise.data") / "reviews.csv").read_bytes())
    columns = ("--text", "text", "--label", "label")
    done = run_command("train", file, *columns, "-o", base / "run", "--epochs", 6, "--json")
    assert (done.code, done.err) == (0, "")
    return Run(base / "run", file, done.json)
