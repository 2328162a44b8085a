"""``rowwise export``: what a run becomes for other programs."""

import json
import subprocess
import sys
from contextlib import chdir

import model2vec
import numpy as np
import onnxruntime
import pytest
import safetensors.numpy
import tokenizers

from rowwise import load_model
from rowwise.backend import keras as plain_keras
from rowwise.cli.export import IN_A_SHELL, USES
from rowwise.export import FORMATS

FILES = {
    "keras": ["labels.json", "model.keras", "tokenizer.json"],
    "onnx": ["labels.json", "model.onnx", "tokenizer.json"],
    "safetensors": ["tables.safetensors", "words.json"],
    "model2vec": ["config.json", "model.safetensors", "tokenizer.json"],
    "projector": ["metadata.tsv", "projector_config.pbtxt", "vectors.tsv"],
}
TEXTS = ["a wonderful film", "Broken, and dirty."]


@pytest.mark.parametrize("kind", FILES)
def test_what_is_printed_can_be_used(rowwise, trained, kind, tmp_path):
    with chdir(tmp_path):
        done = rowwise("export", trained.folder, "--format", kind)
        assert (done.code, done.err) == (0, "")
        first, second, *uses = done.out.splitlines()
        assert first == f"Everything is in the folder run-{kind}:"
        assert second.split() == FILES[kind]
        assert sorted(path.name for path in (tmp_path / f"run-{kind}").iterdir()) == FILES[kind]
        given = {
            "keras": plain_keras,
            "onnxruntime": onnxruntime,
            "safetensors": safetensors,
            "model2vec": model2vec,
            "tokenizers": tokenizers,
            "text": TEXTS[0],
            "texts": TEXTS,
        }
        if kind in IN_A_SHELL:
            assert uses == [f"Use: tensorboard --logdir run-{kind}"]
            return
        if kind == "keras":
            assert "KERAS_BACKEND" in uses.pop()
        made = [eval(use.removeprefix("Use: "), given) for use in uses]
    assert made[0] is not None
    if kind in ("keras", "onnx"):
        classifier = load_model(trained.folder / "model.keras")
        ids = np.array([made[1]], dtype=np.int32)
        if kind == "keras":
            found = made[0].predict(ids, verbose=0)
        else:
            (found,) = made[0].run(None, {"ids": ids})
        np.testing.assert_allclose(found, classifier.predict_proba(TEXTS[:1]), atol=1e-5)


def test_every_format_has_a_use():
    assert list(USES) == list(FORMATS)


def test_json_and_a_folder_that_is_there(rowwise, trained, tmp_path):
    folder = tmp_path / "mine"
    for kind in ("onnx", "safetensors"):
        done = rowwise("export", trained.folder, "--format", kind, "-o", folder, "--json")
        assert done.json == {"folder": str(folder), "format": kind, "files": FILES[kind]}
    assert len(list(folder.iterdir())) == 5


CASES = [
    (["{model}"], "Missing option '--format'. Choose from: keras, onnx, "),
    (["{model}", "--format", "pickle"], "'pickle' is not one of 'keras', 'onnx', "),
    (["none.keras", "--format", "onnx"], "There is no file or folder 'none.keras'."),
    (["{folder}", "--format", "onnx"], "There is no model.keras in the folder"),
    (["{folder}/junk.keras", "--format", "onnx"], "is not a Keras model: expected"),
    (["{folder}/plain.keras", "--format", "projector"], "has no embedding layer with a table"),
    (["{model}", "--format", "onnx", "--layer", "words"], "so --layer chooses nothing."),
    (["{model}", "--format", "projector", "--layer", "pairs"], "knows no words. The tables of 'w"),
    (["{model}", "--format", "onnx", "-o", "{folder}/junk.keras"], "Name a folder."),
    (["{model}", "--format", "onnx", "-o", "{folder}/no/where"], "Create it first."),
    (["{model}", "--format", "onnx", "-o", "{folder}/clash"], "clash/model.onnx': it is a folder"),
    (["{model}", "--format", "saved_model", "-o", "{folder}"], "There is something at '"),
    (["{model}", "--format", "saved_model", "-o", "{folder}/new"], "backends tensorflow and jax"),
]


@pytest.mark.parametrize(("arguments", "message"), CASES)
def test_what_is_wrong_is_one_line(rowwise, trained, arguments, message, tmp_path):
    (tmp_path / "junk.keras").write_bytes(b"no model at all")
    plain_keras.Sequential([plain_keras.Input((3,)), plain_keras.layers.Dense(2)]).save(
        tmp_path / "plain.keras"
    )
    (tmp_path / "clash" / "model.onnx").mkdir(parents=True)
    before = sorted(tmp_path.rglob("*"))
    filled = [part.format(model=trained.folder, folder=tmp_path) for part in arguments]
    with chdir(tmp_path):
        done = rowwise("export", *filled)
    assert (done.code, done.out) == (2, "")
    (line,) = done.err.splitlines()
    assert line.startswith("Error: ")
    assert message in line
    assert sorted(tmp_path.rglob("*")) == before


def test_without_the_package_onnx(trained, tmp_path):
    script = (
        "import sys\nsys.modules['onnx'] = None\nfrom rowwise.cli import main\n"
        f"main(['export', {str(trained.folder)!r}, '--format', 'onnx'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "Error: Writing ONNX needs the package onnx, which is not installed. Install it with: pip "
        'install "rowwise[export]"\n'
    )
    assert json.dumps(sorted(tmp_path.iterdir())) == "[]"
