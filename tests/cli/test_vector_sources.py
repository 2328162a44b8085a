"""Commands on vectors take the same sources, by the same options."""

import zipfile

import numpy as np
import pytest
from gensim.models import KeyedVectors

from rowwise.vectors import Vectors

WORDS = ["king", "queen", "man", "woman"]
ROWS = np.array([[1, 1], [1, -1], [0.2, 1], [0.2, -1]], dtype="float32")

COMMANDS = {
    "info": ["info", "{source}"],
    "convert": ["convert", "{source}", "{folder}/o.safetensors"],
    "neighbors": ["neighbors", "{source}", "king"],
    "analogy": ["analogy", "{source}", "king - man + woman"],
    "benchmark": ["benchmark", "{source}", "{folder}/pairs.txt"],
}

# How the source is made, and the options that it needs.
SOURCES = {
    "a file": (lambda v, f: v.save(f / "v.txt"), "v.txt", []),
    "a packed file": (lambda v, f: v.save(f / "v.vec.gz"), "v.vec.gz", []),
    "a folder of model2vec": (lambda v, f: v.save(f / "m", format="model2vec"), "m", []),
    "a folder of TensorBoard": (lambda v, f: v.save(f / "t", format="tensorboard"), "t", []),
    "a member of a zip": (lambda v, f: zipped(v, f), "two.zip", ["--member", "2"]),
    "a member by name": (lambda v, f: zipped(v, f), "two.zip", ["--member", "a.txt"]),
    "words apart": (lambda v, f: apart(f), "r.npy", ["--words", "{folder}/listed"]),
    "gensim's own": (lambda v, f: gensims(f), "g.kv", ["--unpickle"]),
}


def zipped(vectors, folder):
    vectors.save(folder / "a.txt")
    with zipfile.ZipFile(folder / "two.zip", "w") as archive:
        archive.write(folder / "a.txt", "a.txt")
        archive.writestr("b.txt", "king 1 2 3\nqueen 4 5 6\n")


def apart(folder):
    np.save(folder / "r.npy", ROWS)
    (folder / "listed").write_text("\n".join(WORDS), encoding="utf-8")


def gensims(folder):
    keyed = KeyedVectors(2)
    keyed.add_vectors(WORDS, ROWS)
    keyed.save(str(folder / "g.kv"))


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_takes_every_source(rowwise, tmp_path, name, source):
    make, file, options = SOURCES[source]
    make(Vectors(WORDS, ROWS), tmp_path)
    (tmp_path / "pairs.txt").write_text("king queen 1\nking man 9\nman woman 2\n")
    places = {"folder": tmp_path, "source": tmp_path / file}
    done = rowwise(*(part.format(**places) for part in [*COMMANDS[name], *options]))
    assert (done.code, done.err) == (0, "")
    plain = tmp_path / "plain.safetensors"
    Vectors(WORDS, ROWS).save(plain)
    expected = rowwise(*(part.format(folder=tmp_path, source=plain) for part in COMMANDS[name])).out
    if name != "info":
        assert done.out == expected
    else:
        assert done.out.splitlines()[-1] == expected.splitlines()[-1]


@pytest.mark.parametrize("name", COMMANDS)
def test_what_is_odd_is_a_note_or_with_strict_an_error(rowwise, tmp_path, name):
    lines = "".join(f"w{i} 1 0\n" for i in range(20))
    (tmp_path / "v").write_text(f"king 3 4\nman 1 1\nwoman 1 0\nbad 1 x\nqueen 0 1\n{lines}")
    (tmp_path / "pairs.txt").write_text("king queen 1\nking man 9\nman woman 2\n")
    places = {"folder": tmp_path, "source": tmp_path / "v"}
    command = [part.format(**places) for part in COMMANDS[name]]
    done = rowwise(*command)
    assert done.code == 0
    (line,) = done.err.splitlines()
    assert line.startswith("Note: ")
    assert "1 malformed rows were left out" in line
    assert rowwise(*command, "--strict").code == 2


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("https://[::1/x", "is no address"),
        ("http://example.org/v.txt", "by https only"),
        ("glove.6B.51d", "Did you mean 'glove.6B.50d'"),
    ],
)
def test_addresses_and_names_are_taken(rowwise, tmp_path, name, source, message):
    (tmp_path / "pairs.txt").write_text("king queen 1\n")
    done = rowwise(*(part.format(folder=tmp_path, source=source) for part in COMMANDS[name]))
    assert (done.code, done.out) == (2, "")
    (line,) = done.err.splitlines()
    assert message in line
