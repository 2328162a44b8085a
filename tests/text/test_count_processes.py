"""Counting in other processes: the same counts, whatever happens to a process."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from analyzers import EndsItsProcess, fails, fails_oddly, prints

from rowwise.errors import DataFileError, InvalidArgumentError, WorkerError
from rowwise.text import Splitter, Tokenizer, Vocabulary, count_words
from rowwise.text.counting import files
from rowwise.text.counting.processes import ATTEMPTS

TEXTS = [f"text {i % 7} of {i} words" for i in range(200)]


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LEAST_PART_BYTES", 500)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "texts.txt"
    path.write_text("\n".join(TEXTS))
    return path


def fitted(path: Path, analyzer: Callable[[str], list[str]], workers: int | None) -> Tokenizer:
    tokenizer = Tokenizer(analyzer=analyzer)
    tokenizer.fit_files(path, workers=workers)
    return tokenizer


def test_the_same_counts(path: Path) -> None:
    told: list[int] = []
    found = count_words(path, workers=2, progress=lambda done, total: told.append(done))
    assert found == count_words(path, workers=1)
    assert found.to_vocabulary() == Vocabulary.build(TEXTS)
    assert told == sorted(told)
    assert len(told) > 4
    assert told[-1] == path.stat().st_size


def test_real_files(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LEAST_PART_BYTES", 100_000)
    path = shared_data / "labelled" / "sms.tsv"
    splitter = Splitter(marks=True)
    found = count_words(path, splitter, text="2", workers=2)
    assert found == count_words(path, splitter, text="2", workers=1)


def test_small_files_are_counted_here(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Any] = []
    monkeypatch.setattr(files, "count_in_processes", lambda *given: started.append(given))
    assert Vocabulary.count(path) == Vocabulary.build(TEXTS)
    monkeypatch.setattr(files, "SMALL_BYTES", 100)
    monkeypatch.setattr(files, "_processors", lambda: 3)
    count_words(path)
    assert [given[2] for given in started] == [3]
    # Only this process knows the function.
    assert fitted(path, lambda text: text.split(), None).document_count == len(TEXTS)
    assert len(started) == 1


def test_a_fault_is_named_with_its_line(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\n\xff\n" + b"more\n" * 900)
    with pytest.raises(DataFileError, match=r"texts\.txt', line 201: byte 0xff is not UTF-8"):
        count_words(path, workers=2)


@pytest.mark.parametrize("times", [1, ATTEMPTS - 1])
def test_what_a_lost_process_counted_is_counted_again(path: Path, times: int) -> None:
    lines = [*TEXTS[:100], "the end", *TEXTS[100:]]
    path.write_text("\n".join(lines))
    (folder := path.parent / "ended").mkdir()
    found = fitted(path, EndsItsProcess(folder, times), workers=2)
    assert len(list(folder.iterdir())) == times
    expected = Tokenizer(analyzer=str.split)
    expected.fit_on_texts(lines)
    assert found.word_counts == expected.word_counts
    assert found.word_docs == expected.word_docs


def test_a_part_that_ends_every_process(path: Path) -> None:
    path.write_text("\n".join([*TEXTS[:100], "the end", *TEXTS[100:]]))
    (folder := path.parent / "ended").mkdir()
    with pytest.raises(WorkerError, match=r"texts\.txt': the process that counted .* signal 9, 3"):
        fitted(path, EndsItsProcess(folder, 99), workers=2)
    assert len(list(folder.iterdir())) == ATTEMPTS


def test_errors_of_an_analyzer(path: Path) -> None:
    with pytest.raises(ZeroDivisionError, match=r"text \d of") as caught:
        fitted(path, fails, workers=2)
    assert "In a process that counts" in caught.value.__notes__[0]
    assert "in fails" in caught.value.__notes__[0]
    with pytest.raises(RuntimeError, match=r"OddError.'odd text"):
        fitted(path, fails_oddly, workers=2)


def test_what_an_analyzer_prints(path: Path) -> None:
    expected = Tokenizer(analyzer=str.split)
    expected.fit_on_texts(TEXTS)
    assert fitted(path, prints, workers=2).word_counts == expected.word_counts


def test_an_analyzer_that_cannot_be_sent(path: Path) -> None:
    with pytest.raises(
        InvalidArgumentError, match=r"`analyzer` cannot be sent there \(.*workers=1"
    ):
        fitted(path, lambda text: text.split(), workers=2)


SCRIPT = """\
import sys
from rowwise.text import Tokenizer, Vocabulary, count_words
from rowwise.text.counting import files

print("the script runs")
files.LEAST_PART_BYTES = 500
def own(text):
    return text.split()
found = count_words(sys.argv[1], workers=2)
print(found.texts, found == count_words(sys.argv[1], workers=1))
try:
    Tokenizer(analyzer=own).fit_files(sys.argv[1], workers=2)
except ValueError as error:
    print(error)
"""


@pytest.mark.parametrize("by", ["file", "standard input", "-c"])
def test_any_script_can_count(path: Path, by: str) -> None:
    # Without `if __name__ == "__main__"`: no process runs the script once more.
    script = path.parent / "script.py"
    script.write_text(SCRIPT)
    command = {"file": [str(script)], "standard input": ["-"], "-c": ["-c", SCRIPT]}[by]
    done = subprocess.run(
        [sys.executable, *command, str(path)],
        input=SCRIPT if by == "standard input" else "",
        capture_output=True,
        text=True,
        check=True,
    )
    lines = done.stdout.splitlines()
    assert lines[:2] == ["the script runs", "200 True"]
    assert "`analyzer` is defined in the script itself" in lines[2]
    assert done.stderr == ""


@pytest.fixture
def heard() -> Iterator[None]:
    """Programs that a test starts hear Ctrl-C, which they would not if the tests do not.

    That is so where the tests were started in the background.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heard")
def test_a_process_that_still_loads_is_not_interrupted(
    path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C is for all processes of a terminal; only the first one says something about it."""
    (folder := path.parent / "modules").mkdir()
    (folder / "numpy.py").write_text(f"""\
import os, signal, sys

os.kill(os.getpid(), signal.SIGINT)
sys.path.remove({str(folder)!r})
del sys.modules["numpy"]
import numpy
""")
    monkeypatch.syspath_prepend(folder)
    assert count_words(path, workers=2) == count_words(path, workers=1)
    assert capfd.readouterr().err == ""


def is_there(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def wait_until(happened: Callable[[], bool]) -> None:
    for _ in range(600):
        if happened():
            return
        time.sleep(0.1)
    raise AssertionError("It did not happen within a minute.")


@pytest.mark.usefixtures("heard")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "killed"])
def test_nothing_stays_behind(path: Path, how: signal.Signals) -> None:
    (folder := path.parent / "waiting").mkdir()
    script = f"""\
import sys
sys.path.insert(0, {os.path.dirname(__file__)!r})
from pathlib import Path
from analyzers import Waits
from rowwise.text import Tokenizer
from rowwise.text.counting import files

files.LEAST_PART_BYTES = 500
Tokenizer(analyzer=Waits(Path({str(folder)!r}))).fit_files({str(path)!r}, workers=2)
"""
    started = subprocess.Popen(
        [sys.executable, "-c", script], stderr=subprocess.PIPE, start_new_session=True, text=True
    )
    wait_until(lambda: len(list(folder.iterdir())) == 2)
    waiting = [int(file.name) for file in folder.iterdir()]
    assert all(map(is_there, waiting))
    if how == signal.SIGINT:  # as from a terminal: to all of them
        os.killpg(started.pid, how)
    else:
        started.kill()
    _, said = started.communicate(timeout=60)
    assert started.returncode == -how
    assert ("KeyboardInterrupt" in said) == (how == signal.SIGINT)
    assert said.count("Traceback") <= 1
    wait_until(lambda: not any(map(is_there, waiting)))
