"""Tokenizers of model2vec: the tokens in a ``tokenizer.json``, and one whose tokens are words.

The file is that of the library tokenizers. model2vec takes the mean of the rows of a text's
tokens, without those of the unknown token, which a tokenizer of words needs.
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rowwise.errors import DataFileError
from rowwise.text import Vocabulary
from rowwise.vectors.formats.damage import damage_named

UNKNOWN = Vocabulary.unknown
# In the model's configuration: the unknown token is none of the words, and was added at the end.
ADDED = "rowwise_added_unknown"
# What the tokenizer leaves in one piece: letters and digits, or marks.
_PIECE = re.compile(r"\w+|[^\w\s]+")


def with_unknown(
    words: Sequence[str], rows: npt.NDArray[Any]
) -> tuple[list[str], npt.NDArray[Any], dict[str, Any]]:
    """Words with an unknown token among them.

    Returns:
        the words; their rows (n, d), with one of zeros at the end where a token was added; and
        what the configuration of the model is to say of it.
    """
    if UNKNOWN in words:
        return list(words), rows, {}
    zeros = np.zeros((1, rows.shape[1]), dtype=rows.dtype)
    return [*words, UNKNOWN], np.concatenate([rows, zeros]), {ADDED: True}


def real_words(tokens: Sequence[str], config: Any) -> int:
    """How many of the tokens are words: all but the last where ``with_unknown`` added it."""
    added = isinstance(config, dict) and config.get(ADDED) is True
    return len(tokens) - (added and len(tokens) > 0 and tokens[-1] == UNKNOWN)


def tokenizer_of(words: Sequence[str]) -> str:
    """The JSON of a tokenizer with a token for each word, ``UNKNOWN`` among them.

    Texts are cut at white space and between letters and marks. A word that this would cut, such as
    ``new york`` or ``don't``, is found before that, where it stands alone.
    """
    whole = [
        {
            "id": number,
            "content": word,
            "single_word": True,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
            "special": False,
        }
        for number, word in enumerate(words)
        # Not at the edge of white space, which the text would lose.
        if word and word == word.strip() and word != UNKNOWN and not _PIECE.fullmatch(word)
    ]
    tokenizer = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": whole,
        "normalizer": None,
        "pre_tokenizer": {"type": "Whitespace"},
        "post_processor": None,
        "decoder": None,
        "model": {
            "type": "WordLevel",
            "vocab": {word: number for number, word in enumerate(words)},
            "unk_token": UNKNOWN,
        },
    }
    return json.dumps(tokenizer, ensure_ascii=False)


def read_tokens(path: Path) -> list[str]:
    """The tokens of a ``tokenizer.json`` in the order of their ids.

    Raises:
        DataFileError: the file holds something else, or ids have gaps.
    """
    with damage_named(f"{str(path)!r} is no tokenizer as expected"):
        written = json.loads(path.read_bytes())
        vocabulary = written["model"]["vocab"]
        if isinstance(vocabulary, dict):
            ids = dict(vocabulary)
        else:  # unigrams, each with its score
            ids = {entry[0]: number for number, entry in enumerate(vocabulary)}
        for added in written.get("added_tokens") or []:
            ids.setdefault(added["content"], added["id"])
        for token, number in ids.items():
            if not isinstance(token, str) or type(number) is not int:
                raise ValueError(f"the token {token!r} has the id {number!r}")
    if sorted(ids.values()) != list(range(len(ids))):
        raise DataFileError(f"{str(path)!r}: the ids of its tokens have gaps.")
    return sorted(ids, key=ids.__getitem__)
