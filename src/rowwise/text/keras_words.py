"""The words of Keras's own text layers, read through their public methods."""

from typing import Any

from rowwise.errors import InvalidArgumentError
from rowwise.text.checks import shorten

_RULE = "A Vocabulary has padding at id 0 and one unknown word at id 1."


def words_of_layer(layer: Any) -> list[str]:
    """Return the real words of a ``TextVectorization`` or ``StringLookup``; their ids begin at 2.

    Raises:
        InvalidArgumentError: the layer's ids follow another convention.
    """
    name = type(layer).__name__
    if not callable(getattr(layer, "get_vocabulary", None)):
        raise InvalidArgumentError(
            "Expected a layer with `get_vocabulary()`, such as TextVectorization or StringLookup. "
            f"Received: {shorten(layer)}"
        )
    config: dict[str, Any] = layer.get_config() if hasattr(layer, "get_config") else {}
    mode = config.get("output_mode", "int")
    if mode != "int":
        raise InvalidArgumentError(
            f"{name} has output_mode={mode!r}, so its words have columns, not ids. "
            "Use output_mode='int'."
        )
    unknown_words = config.get("num_oov_indices", 1)
    if unknown_words != 1:
        raise InvalidArgumentError(
            f"{name} has num_oov_indices={unknown_words}. {_RULE} Use num_oov_indices=1."
        )
    words = list(layer.get_vocabulary())
    padding = config.get("mask_token", "")
    unknown = config.get("oov_token", "[UNK]")
    if padding is None:
        raise InvalidArgumentError(f"{name} has no padding word. {_RULE} Use mask_token=''.")
    if words[:2] != [padding, unknown]:
        raise InvalidArgumentError(
            f"{name} must have the words {padding!r} and {unknown!r} at ids 0 and 1. "
            f"Received: {shorten(words[:2])}"
        )
    return [str(word) for word in words[2:]] if _all_strings(words) else words[2:]


def _all_strings(words: list[Any]) -> bool:
    return all(isinstance(word, str) for word in words)
