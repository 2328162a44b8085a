"""Small files of every format, which the fuzzer changes.

A folder is several files, and the files in a model's zip have checksums. So a seed may be one such
file alone, after a line that begins with @ and says which it is: the others are put beside it.
"""

import io
import pickle
import tempfile
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import h5py
import numpy as np
from gensim.models import FastText, KeyedVectors

from rowwise.text import Vocabulary
from rowwise.vectors import Vectors

WORDS = ["one", "zwei", "猫"]
ROWS = np.array([[1.0, 2.0], [0.5, -1.0], [3.0, 4.0]], dtype="float32")
FORMATS = {
    "rowwise": "v.safetensors",
    "word2vec-text": "v.vec",
    "glove": "v.glove",
    "word2vec-binary": "v.w2v",
    "fasttext": "v.bin",
    "finalfusion": "v.fifu",
    "npy": "v.npy",
}
PACKED = ("v.vec.gz", "v.vec.bz2", "v.vec.xz", "v.vec.zst")
FOLDERS = ("model2vec", "tensorboard")
LAYER = "layers/embedding"


def seeds() -> Iterator[bytes]:
    """A small file of every format, and each file of a folder and of a model."""
    vectors = Vectors(WORDS, ROWS)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        for format, name in [*FORMATS.items(), *(("word2vec-text", name) for name in PACKED)]:
            vectors.save(folder / name, format=format)
            yield (folder / name).read_bytes()
        yield zipped({name: (folder / name).read_bytes() for name in ("v.vec", "v.npy")})
        yield zipped({"README": b"prose", "v.glove": (folder / "v.glove").read_bytes()})
    for protocol in (2, 4, 5):
        keyed = KeyedVectors(2)
        keyed.add_vectors(WORDS, ROWS)
        yield pickle.dumps(keyed, protocol=protocol)
    yield pickle.dumps(FastText([WORDS], vector_size=2, min_count=1, bucket=5, workers=1).wv)
    yield zipped(container("keras"))
    for kind in (*FOLDERS, "keras"):
        for name, content in container(kind).items():
            yield f"@{kind} {name}\n".encode() + content


def zipped(files: dict[str, bytes]) -> bytes:
    """A zip of these files."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return whole.getvalue()


@cache
def container(kind: str) -> dict[str, bytes]:
    """The files of a folder, or of a model."""
    if kind == "keras":
        weights = io.BytesIO()
        with h5py.File(weights, "w") as file:
            file[f"{LAYER}/vars/0"] = np.concatenate([np.zeros((2, 2), "float32"), ROWS])
        vocabulary = Vocabulary(WORDS).to_json().encode()
        return {
            f"assets/{LAYER}/vocabulary.json": vocabulary,
            "model.weights.h5": weights.getvalue(),
        }
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made, "folder")
        Vectors(WORDS, ROWS).save(folder, format=kind)
        return {path.name: path.read_bytes() for path in folder.iterdir()}


def put(data: bytes, folder: Path) -> Path:
    """Write a seed, or what became of it, into a folder; gives what is to be loaded."""
    path = folder / "fuzzed"
    mark, _, content = data.partition(b"\n")
    kind, _, name = mark[1:].decode("latin1").partition(" ")
    if not mark.startswith(b"@") or kind not in (*FOLDERS, "keras") or name not in container(kind):
        path.write_bytes(data)
        (folder / "fuzzed.txt").write_bytes(b"one\ntwo\nthree\n")
        return path
    files = container(kind) | {name: content}
    if kind == "keras":
        path.write_bytes(zipped(files))
        return path
    within = folder / kind
    within.mkdir(exist_ok=True)
    for each, written in files.items():
        (within / each).write_bytes(written)
    return within
