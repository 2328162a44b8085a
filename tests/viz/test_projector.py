"""TensorBoard itself reads what `write_projector` writes."""

import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager

import numpy as np
import pytest
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from rowwise import Vectors
from rowwise.errors import InvalidArgumentError, UnknownWordError
from rowwise.viz import write_projector

WORDS = ["king", "naïve", "日本", 'quo"te', "<b>", "'s", "a b"]
ROWS = np.random.default_rng(0).normal(size=(7, 5)).astype("float32")


@contextmanager
def asking(logdir):
    """A function that asks a running TensorBoard's projector about a folder."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}/data/plugin/projector"
    arguments = ["--logdir", logdir, "--host", "127.0.0.1", "--port", port, "--load_fast=false"]
    process = subprocess.Popen(
        [sys.executable, "-m", "tensorboard.main", *map(str, arguments)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def ask(path):
        with urllib.request.urlopen(f"{address}/{path}", timeout=30) as answer:
            return answer.read()

    try:
        for _ in range(600):  # a minute
            try:
                if json.loads(ask("runs")):
                    break
            except urllib.error.URLError:
                assert process.poll() is None
            time.sleep(0.1)
        yield ask
    finally:
        process.terminate()
        process.wait(timeout=30)


def test_tensorboard_shows_the_folder(tmp_path):
    write_projector(Vectors(WORDS, ROWS), tmp_path)
    with asking(tmp_path) as ask:
        (run,) = json.loads(ask("runs"))
        (found,) = json.loads(ask(f"info?run={run}"))["embeddings"]
        assert (found["tensorName"], found["tensorShape"]) == ("rowwise", [7, 5])
        points = np.frombuffer(ask(f"tensor?run={run}&name=rowwise"), "float32")
        np.testing.assert_array_equal(points.reshape(7, 5), ROWS)
        assert ask(f"metadata?run={run}&name=rowwise").decode().splitlines() == WORDS


def test_tensorboard_shows_the_folder_of_a_run_among_others(tmp_path):
    for run in ("first", "second"):
        writer = EventFileWriter(str(tmp_path / run))
        writer.add_event(Event(step=1))
        writer.close()
    columns = {"part of speech": ["n", "v"]}
    write_projector(Vectors(WORDS, ROWS), tmp_path / "second", ["日本", "king"], columns=columns)
    with asking(tmp_path) as ask:
        assert json.loads(ask("runs")) == ["second"]
        points = np.frombuffer(ask("tensor?run=second&name=rowwise"), "float32")
        np.testing.assert_array_equal(points.reshape(2, 5), ROWS[[2, 0]])
        labels = ask("metadata?run=second&name=rowwise").decode().splitlines()
        assert labels == ["word\tpart of speech", "日本\tn", "king\tv"]


def test_other_files_of_a_run_stay_and_it_loads_again(tmp_path):
    (tmp_path / "events.out.tfevents").write_bytes(b"events")
    assert write_projector(Vectors(WORDS, ROWS), tmp_path) == tmp_path
    write_projector(Vectors(WORDS, ROWS + 1), tmp_path)
    assert (tmp_path / "events.out.tfevents").read_bytes() == b"events"
    assert len(list(tmp_path.iterdir())) == 4
    np.testing.assert_array_equal(Vectors.load(tmp_path).rows, ROWS + 1)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"words": ["nix"]}, UnknownWordError, "'nix' has no row"),
        ({"words": ["king", "king"]}, InvalidArgumentError, "'king' is there twice"),
        ({"columns": {"a": [1]}}, InvalidArgumentError, "'a' must have a value for each of the 7"),
        ({"columns": {"a": ["x\ty"] * 7}}, InvalidArgumentError, "tab"),
        ({"columns": {"a": [""] * 7}}, InvalidArgumentError, "empty"),
    ],
)
def test_what_is_refused(tmp_path, options, error, message):
    with pytest.raises(error, match=message):
        write_projector(Vectors(WORDS, ROWS), tmp_path / "new", **options)
    assert not list(tmp_path.rglob("*.tsv"))
