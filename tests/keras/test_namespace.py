import importlib
import subprocess
import sys
from types import ModuleType

import pytest

import rowwise.text
from rowwise import keras
from rowwise.backend import keras as stock  # plain `import keras` before would need TensorFlow
from rowwise.layers import Embedding
from rowwise.training import Model, Sequential, Unfreeze
from rowwise.training.tensorboard import TensorBoard

# Names that stand for something of rowwise's; everything else is Keras's own.
OWN = {
    "Model": Model,
    "Sequential": Sequential,
    "layers.Embedding": Embedding,
    "models.Model": Model,
    "models.Sequential": Sequential,
    "models.clone_model": rowwise.training.clone_model,
    "models.load_model": rowwise.training.load_keras_model,
    "models.save_model": rowwise.training.save_model,
    "saving.load_model": rowwise.training.load_keras_model,
    "saving.save_model": rowwise.training.save_model,
    "callbacks.TensorBoard": TensorBoard,
    "callbacks.Unfreeze": Unfreeze,
    "preprocessing.text.Tokenizer": rowwise.text.Tokenizer,
    "preprocessing.text.tokenizer_from_json": rowwise.text.tokenizer_from_json,
    "preprocessing.text.one_hot": rowwise.text.one_hot,
    "preprocessing.text.hashing_trick": rowwise.text.hashing_trick,
    "preprocessing.text.text_to_word_sequence": rowwise.text.text_to_word_sequence,
    "preprocessing.sequence.pad_sequences": rowwise.text.pad_sequences,
    "preprocessing.sequence.skipgrams": rowwise.text.skipgrams,
    "preprocessing.sequence.make_sampling_table": rowwise.text.make_sampling_table,
}


def public_names(module: ModuleType, prefix: str = "") -> list[str]:
    """Dotted names of everything public in Keras, modules apart."""
    names = []
    for name, value in vars(module).items():
        if name.startswith("_") or name == "src":
            continue
        if isinstance(value, ModuleType):
            if value.__name__ == f"{module.__name__}.{name}":
                names += public_names(value, f"{prefix}{name}.")
        else:
            names.append(prefix + name)
    return names


def resolve(root: ModuleType, dotted: str) -> object:
    value: object = root
    for part in dotted.split("."):
        value = getattr(value, part)
    return value


def test_every_public_name_of_keras_is_there() -> None:
    names = public_names(stock)
    assert len(names) > 800
    for name in names:
        expected = OWN.get(name, resolve(stock, name))
        assert resolve(keras, name) is expected, name


@pytest.mark.parametrize("name", sorted(OWN))
def test_what_is_rowwises_can_be_imported_by_its_path(name: str) -> None:
    path, _, last = f"rowwise.keras.{name}".rpartition(".")
    assert getattr(importlib.import_module(path), last) is OWN[name]


def test_submodules_of_keras_can_be_imported_by_their_path() -> None:
    code = """
import rowwise.keras.optimizers.schedules
from rowwise.keras.optimizers import Adam
from rowwise.keras.optimizers.schedules import CosineDecay
from rowwise.keras.regularizers import l2
from rowwise.keras.utils import to_categorical
from rowwise.keras import ops, losses
from rowwise.keras.applications.mobilenet import MobileNet
import keras
assert Adam is keras.optimizers.Adam and ops is keras.ops
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_what_keras_has_not_got_is_an_attribute_error() -> None:
    for module in (keras, keras.layers, keras.models, keras.saving, keras.preprocessing.sequence):
        with pytest.raises(AttributeError, match="nonsense"):
            module.nonsense  # noqa: B018


@pytest.mark.parametrize(
    "path", ["", ".layers", ".models", ".callbacks", ".saving", ".preprocessing", ".optimizers"]
)
def test_star_import_gives_what_keras_gives(path: str) -> None:
    names: dict[str, object] = {}
    exec(f"from rowwise.keras{path} import *", names)
    for name in names.keys() - {"__builtins__"}:
        assert not name.startswith("_")
    prefix = f"{path}.".lstrip(".")
    for name in public_names(resolve(stock, path[1:]) if path else stock):  # type: ignore[arg-type]
        if "." not in name:
            expected = OWN.get(prefix + name, resolve(stock, prefix + name))
            assert names[name] is expected, name


def test_dir_shows_both() -> None:
    assert {"Sequential", "optimizers", "layers"} <= set(dir(keras))
    assert {"Embedding", "Dense"} <= set(dir(keras.layers))
