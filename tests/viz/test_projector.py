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
        ({"columns": {"a": ["x\ty"] * 7}}, InvalidArgumentError, r"Column 'a' .* for the word 'k"),
        ({"columns": {"a": [*"abcdef", ""]}}, InvalidArgumentError, "'' for the word 'a b'"),
        ({"columns": {"a": ["\ud800"] * 7}}, InvalidArgumentError, "valid Unicode"),
        ({"columns": {"word": WORDS}}, InvalidArgumentError, "is not 'word', which is the name"),
        ({"columns": {"": WORDS}}, InvalidArgumentError, "Received: ''"),
        ({"columns": {3: WORDS}}, InvalidArgumentError, "Received: 3"),
    ],
)
def test_what_is_refused(tmp_path, options, error, message):
    with pytest.raises(error, match=message):
        write_projector(Vectors(WORDS, ROWS), tmp_path / "deep" / "new", **options)
    assert not list(tmp_path.iterdir())


def test_rows_that_cannot_be_placed(tmp_path):
    rows = ROWS.copy()
    rows[[2, 4], 1] = np.nan, np.inf
    with pytest.raises(
        InvalidArgumentError, match="The row of '日本' holds NaN or infinity; 2 of 7"
    ):
        write_projector(Vectors(WORDS, rows), tmp_path / "new")
    write_projector(Vectors(WORDS, rows), tmp_path, ["king", "naïve"])
    assert Vectors.load(tmp_path).words == ("king", "naïve")


def test_lines_that_could_not_be_read_again(tmp_path):
    with pytest.raises(InvalidArgumentError, match="lines of more than"):
        write_projector(Vectors(["a"], np.full((1, 2**18), 0.123)), tmp_path / "deep" / "new")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("place", ["file", "file/new", "run"])
def test_something_else_in_the_way(tmp_path, place):
    (tmp_path / "file").write_text("kept")
    (tmp_path / "run" / "metadata.tsv").mkdir(parents=True)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InvalidArgumentError, match=f"Cannot write.*{place}.*folder"):
        write_projector(Vectors(WORDS, ROWS), tmp_path / place)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("name", ["label", "name", "token", "words"])
def test_words_are_read_again_whatever_columns_there_are(tmp_path, name):
    write_projector(Vectors(WORDS, ROWS), tmp_path, columns={name: ["n"] * 7})
    assert Vectors.load(tmp_path).words == tuple(WORDS)


def test_a_file_of_others_has_its_words_by_label(tmp_path):
    write_projector(Vectors(WORDS, ROWS), tmp_path)
    (tmp_path / "metadata.tsv").write_text(
        "index\tlabel\n" + "".join(f"{i}\tw{i}\n" for i in range(7))
    )
    assert Vectors.load(tmp_path).words == tuple(f"w{i}" for i in range(7))
