"""Reading the JSON in which Keras's ``Tokenizer`` and rowwise's write themselves."""

import json
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from rowwise.errors import InvalidArgumentError
from rowwise.text.checks import shorten
from rowwise.text.tokenizer import TABLES, Tokenizer


def tokenizer_from_json(
    json_string: str, analyzer: Callable[[str], Iterable[str]] | None = None
) -> Tokenizer:
    """Make a tokenizer from JSON that ``to_json`` wrote, here or in Keras 2.

    Args:
        json_string: the JSON.
        analyzer: the tokenizer's ``analyzer``, which JSON cannot hold.

    Raises:
        InvalidArgumentError: ``json_string`` is something else.
    """
    try:
        layout = json.loads(json_string)
        config = dict(layout["config"])
        # These are JSON strings within the JSON.
        tables = {name: json.loads(config.pop(name)) for name in TABLES}
        index_docs = {int(id): count for id, count in tables["index_docs"].items()}
        index_word = {int(id): word for id, word in tables["index_word"].items()}
        tokenizer = Tokenizer(**config, analyzer=analyzer)
    except KeyError as error:
        raise _not_a_tokenizer(f"It has no {error}.", json_string) from error
    except (ValueError, TypeError, AttributeError) as error:
        raise _not_a_tokenizer(f"{error}.", json_string) from error
    tokenizer.word_counts = OrderedDict(tables["word_counts"])
    tokenizer.word_docs = defaultdict(int, tables["word_docs"])
    tokenizer.index_docs = defaultdict(int, index_docs)
    tokenizer.word_index = tables["word_index"]
    tokenizer.index_word = index_word
    return tokenizer


def _not_a_tokenizer(reason: str, received: Any) -> InvalidArgumentError:
    return InvalidArgumentError(
        "The JSON of a Tokenizer was expected: an object with `config`, which holds its arguments "
        f"and {', '.join(TABLES)}. {reason} Received: {shorten(received)}"
    )
