"""Giving a table other words, while rows and what the optimizer keeps for them stay with theirs."""

from typing import Any

import numpy as np
import numpy.typing as npt

from rowwise.backend import keras, rows, shards_of
from rowwise.errors import BackendError, InvalidArgumentError
from rowwise.text import Vocabulary
from rowwise.training.keras_seam import rebuilt_optimizer, rename_like, replace_value
from rowwise.training.plan import embedding_layers
from rowwise.training.split_optimizer import find_places

ops = keras.ops


def find_table(model: Any, layer: Any) -> Any:
    """The layer of ``model`` that is meant: by itself, by its name, or the one with a vocabulary.

    Raises:
        InvalidArgumentError: there is none, or more than one.
    """
    known = [one for one in embedding_layers(model) if one.vocabulary is not None]
    chosen = known
    if layer is not None:
        chosen = [one for one in known if layer is one or layer == one.name]
    if len(chosen) != 1:
        names = ", ".join(repr(one.name) for one in known) or "none"
        received = "" if layer is None else f" Received: layer={getattr(layer, 'name', layer)!r}."
        raise InvalidArgumentError(
            "`resize` needs to know one layer with a vocabulary, as Embedding(vocabulary, ...) "
            f"makes it; layer= names it. There are: {names}.{received}"
        )
    return chosen[0]


def resize_table(model: Any, layer: Any, vocabulary: Vocabulary) -> None:
    """Give the table of ``layer`` the words of ``vocabulary``; see ``RowwiseTrainer.resize``."""
    if rows is None:
        raise BackendError(
            "`resize` needs a backend that trains: JAX, TensorFlow or PyTorch. Set KERAS_BACKEND "
            "to one of jax, tensorflow and torch."
        )
    if getattr(layer, "lora_enabled", False) or layer.quantization_mode is not None:
        raise InvalidArgumentError(
            f"Layer {layer.name!r} is quantised or has LoRA, and its rows cannot be moved."
        )
    if shards_of(layer.table.value)[0] is not None:
        raise InvalidArgumentError(
            f"The table of layer {layer.name!r} is on several devices, where its rows cannot be "
            "moved. Save a checkpoint, load it without a keras.distribution, and resize it there."
        )
    if not isinstance(vocabulary, Vocabulary):
        raise InvalidArgumentError(
            "`resize` takes the words that the table is to have, as rowwise.Vocabulary([...]). "
            f"Received: {type(vocabulary).__name__}."
        )
    kept, places = _kept_words(layer.vocabulary, vocabulary)
    size, table = (len(vocabulary), layer.output_dim), layer.table
    fresh = ops.cast(layer.embeddings_initializer(size), table.dtype)
    moved = [(table, _moved(fresh, table, kept, places))]
    for slot, first in _slots(model, table, moved[0][1]):
        moved.append((slot, _moved(first, slot, kept, places)))
    for variable, value in moved:
        replace_value(variable, value)
    if layer.trainable_rows is not None:
        trained = np.ones(size[0], dtype=bool)
        trained[kept] = layer.trainable_rows[places]
        layer.trainable_rows = trained
    layer.set_vocabulary(vocabulary)


def _kept_words(
    before: Vocabulary, after: Vocabulary
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Ids after, and before, of the words that both have; padding and unknown are among them."""
    known = {word: number for number, word in enumerate(before.words)}
    pairs = [
        (number, known[word])
        for number, word in enumerate(after.words)
        if number > 1 and known.get(word, 0) > 1
    ]
    both = np.array([(0, 0), (1, 1), *pairs], dtype=np.int32)
    return both[:, 0], both[:, 1]


def _moved(fresh: Any, variable: Any, kept: Any, places: Any) -> Any:
    """``fresh`` with the rows of ``variable`` at ``places`` put where they are ``kept``."""
    assert rows is not None
    old = rows.take_rows(ops.convert_to_tensor(variable.value), ops.convert_to_tensor(places))
    return rows.put_rows(fresh, ops.convert_to_tensor(kept), old)


def _slots(model: Any, table: Any, value: Any) -> list[tuple[Any, Any]]:
    """The optimizer's variables for ``table``, each with what it would start from at ``value``."""
    optimizer = getattr(model, "optimizer", None)
    variables = model.trainable_variables
    index = next((i for i, variable in enumerate(variables) if variable is table), None)
    if optimizer is None or not optimizer.built or index is None:
        return []
    found = [optimizer.variables[place] for place in find_places(optimizer, variables).slots[index]]
    start = rebuilt_optimizer(optimizer)
    start.build([rename_like(table, value)])
    first = [one for one in start.variables if tuple(one.shape) == tuple(value.shape)]
    if len(first) != len(found) or any(one.shape != table.shape for one in found):
        raise InvalidArgumentError(
            f"The optimizer {type(optimizer).__name__} keeps something else than a row for each "
            "row, which cannot be moved. Compile the model again after changing the table."
        )
    return [(slot, one.value) for slot, one in zip(found, first, strict=True)]
