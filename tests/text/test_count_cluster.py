"""Counting on a Dask cluster of two processes: the same counts, also when one is killed."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dask
import pytest
from analyzers import EndsItsProcess
from distributed import Client, LocalCluster

from rowwise.errors import DataFileError, InvalidArgumentError, MissingExtraError, WorkerError
from rowwise.text import Splitter, Tokenizer, Vocabulary, count_words, read_examples
from rowwise.text.counting import files
from rowwise.text.tokenizer import TABLES

SETTINGS = {
    "distributed.scheduler.allowed-failures": 1,
    # By default a worker that is missing 15 s after it was lost is given up for good. One that was
    # started again since then, and killed again at that moment, counts as missing.
    "distributed.deploy.lost-worker-timeout": "1 hour",
}


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with (
        dask.config.set(SETTINGS),
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LEAST_PART_BYTES", 10_000)
    monkeypatch.setattr(files, "MOST_PART_BYTES", 20_000)


@pytest.fixture(scope="module")
def messages(shared_data: Path) -> Path:
    """478 kB, so that there are 24 parts, which are merged in two steps."""
    return shared_data / "labelled" / "sms.tsv"


def test_the_same_counts(client: Any, messages: Path) -> None:
    told: list[int] = []
    found = count_words(
        messages, text="2", client=client, progress=lambda done, total: told.append(done)
    )
    assert found == count_words(messages, text="2", workers=1)
    assert told[-1] == messages.stat().st_size
    assert len(told) == 24
    marks = Splitter(marks=True)
    vocabulary = Vocabulary.count(messages, marks, 500, 3, text="2", client=client)
    texts = read_examples(messages, text="2").texts
    assert vocabulary == Vocabulary.build(texts, marks, 500, 3)


def test_a_worker_is_killed_with_counts_that_were_done(client: Any, messages: Path) -> None:
    killed: list[int] = []

    def kill(done: int, total: int | None) -> None:
        if not killed and done > 100_000:
            killed.append(min(client.run(os.getpid).values()))
            os.kill(killed[0], signal.SIGKILL)

    found = count_words(messages, text="2", client=client, progress=kill)
    assert len(killed) == 1
    assert found == count_words(messages, text="2", workers=1)


def test_a_worker_is_killed_in_the_middle_of_a_part(client: Any, tmp_path: Path) -> None:
    lines = [f"line {i} of {i % 50} words" for i in range(9_000)]
    lines[4_500] += " end"
    (tmp_path / "a.txt").write_text("\n".join(lines))
    (folder := tmp_path / "ended").mkdir()
    found, expected = Tokenizer(analyzer=EndsItsProcess(folder, 1)), Tokenizer(analyzer=str.split)
    found.fit_files(tmp_path / "a.txt", client=client)
    expected.fit_on_texts(lines)
    [killed] = folder.iterdir()
    assert int(killed.name) != os.getpid()
    assert found.document_count == len(lines)
    for table in TABLES:
        assert getattr(found, table) == getattr(expected, table)
        assert list(getattr(found, table)) == list(getattr(expected, table))


def test_a_part_that_ends_every_worker(client: Any, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("word\n" * 9_000 + "end\n")
    (folder := tmp_path / "ended").mkdir()
    with pytest.raises(WorkerError, match=r"ended again and again .* If memory ran out"):
        Tokenizer(analyzer=EndsItsProcess(folder, 99)).fit_files(tmp_path / "a.txt", client=client)
    assert len(list(folder.iterdir())) == 2


def test_a_fault_is_named_with_its_line(client: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_bytes(
        b"text\tid\n" + b"one text\t1\n" * 4_000 + b"two texts\n" + b"one\t1\n" * 4_000
    )
    with pytest.raises(DataFileError, match=r"a\.tsv', line 4002: expected 2 fields"):
        count_words(path, text="text", client=client)


def test_wrong_arguments(client: Any, messages: Path) -> None:
    with pytest.raises(InvalidArgumentError, match=r"must be a distributed.Client, such as"):
        count_words(messages, text="2", client="tcp://127.0.0.1:8786")
    with pytest.raises(InvalidArgumentError, match="Give one of the two"):
        count_words(messages, text="2", client=client, workers=2)


def test_an_asynchronous_client(messages: Path) -> None:
    class Asynchronous(Client):
        asynchronous = True

        def __init__(self) -> None:
            pass

        def __del__(self) -> None:
            pass

    with pytest.raises(InvalidArgumentError, match="must not be asynchronous"):
        count_words(messages, text="2", client=Asynchronous())


def test_the_extra_is_named(messages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingExtraError, match=r'distributed, .*"rowwise\[dask\]"'):
        count_words(messages, text="2", client=object())
