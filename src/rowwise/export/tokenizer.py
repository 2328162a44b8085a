"""Splitter and vocabulary as a ``tokenizer.json``, which Hugging Face's tokenizers read.

How Python makes lower case and what ``Splitter`` takes for a letter differ in places from what a
program in another language does, or would do with another version of Unicode. So the file names
the characters themselves, in ranges, and not classes of them.
"""

import json
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import numpy as np

from rowwise.errors import InvalidArgumentError
from rowwise.text import Splitter, Vocabulary
from rowwise.text.characters import ACCENT, APOSTROPHE, FORMAT, SPACE, WORD, classify

PADDING = "[PAD]"


def tokenizer_json(
    vocabulary: Vocabulary, splitter: Splitter | None = None, max_length: int | None = None
) -> str:
    """The text of a ``tokenizer.json`` that gives the ids of ``vocabulary.encode``.

    ``tokenizers.Tokenizer.from_str`` and ``from_file`` read it, and so does transformers.

    Args:
        vocabulary: the words by id.
        splitter: how texts are cut into words; as Keras's ``Tokenizer`` by default.
        max_length: ids of every text: longer ones are cut, shorter ones padded, both at the end.
            None: as many as the text has words.

    Raises:
        InvalidArgumentError: ``max_length`` is less than 1.
    """
    if max_length is not None and max_length < 1:
        raise InvalidArgumentError(f"`max_length` must be at least 1. Received: {max_length}.")
    splitter = Splitter() if splitter is None else splitter
    # No text may hold a token that becomes the id of padding.
    name = PADDING if splitter.split(PADDING) != [PADDING] else Vocabulary.padding
    words = [name, *vocabulary.words[1:]]
    tokenizer = tokenizer_of_words(words, splitter)
    if max_length is not None:
        tokenizer["truncation"] = {
            "direction": "Right",
            "max_length": int(max_length),
            "strategy": "LongestFirst",
            "stride": 0,
        }
        tokenizer["padding"] = {
            "strategy": {"Fixed": int(max_length)},
            "direction": "Right",
            "pad_to_multiple_of": None,
            "pad_id": Vocabulary.padding_id,
            "pad_type_id": 0,
            "pad_token": name,
        }
    return json.dumps(tokenizer)


def tokenizer_of_words(words: Sequence[str], splitter: Splitter) -> dict[str, Any]:
    """What a ``tokenizer.json`` holds whose tokens are ``words``, ``[UNK]`` among them, by id."""
    normalizers = [*_lower_case()] if splitter.lower else []
    cutting, further = _cutting(splitter)
    normalizers += further
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": {"type": "Sequence", "normalizers": normalizers} if normalizers else None,
        "pre_tokenizer": cutting,
        "post_processor": None,
        "decoder": None,
        "model": {
            "type": "WordLevel",
            "vocab": {word: number for number, word in enumerate(words)},
            "unk_token": Vocabulary.unknown,
        },
    }


def _cutting(splitter: Splitter) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What cuts a text as ``splitter`` does, and what is to be replaced before."""
    if splitter.char_level:
        return _tokens_are(r"[\s\S]"), []
    if splitter.marks:
        return _tokens_are(_words_and_marks()), []
    separator, filters = splitter.separator, splitter.filters
    if separator is not None and len(separator) == 1:
        return _tokens_are(f"[^{_listed(filters + separator)}]+"), []
    replaced = []
    if filters:
        replaced.append(_replace({"Regex": f"[{_listed(filters)}]"}, separator or ""))
    if separator is None:
        return _tokens_are(f"[^{_listed(_white_space())}]+"), replaced
    return _split({"String": separator}, invert=False), replaced


def _tokens_are(pattern: str) -> dict[str, Any]:
    """What matches is a token, and what does not is left out."""
    return _split({"Regex": pattern}, invert=True)


def _split(pattern: dict[str, str], invert: bool) -> dict[str, Any]:
    return {"type": "Split", "pattern": pattern, "behavior": "Removed", "invert": invert}


def _replace(pattern: dict[str, str], content: str) -> dict[str, Any]:
    return {"type": "Replace", "pattern": pattern, "content": content}


@cache
def _words_and_marks() -> str:
    """Tokens in the style that keeps marks; see ``rowwise.text.characters``."""
    word, apostrophe, space = (_class(kind) for kind in (WORD, APOSTROPHE, SPACE))
    accent, joiner = _class(ACCENT), _class(FORMAT)
    attached = f"[{accent}{joiner}]*"
    # An accent without a character before it stands alone; a joiner there is no token.
    return (
        f"[{word}]{attached}(?:[{apostrophe}]?[{word}]{attached})*"
        f"|[^{space}{accent}{joiner}]{attached}|[{accent}]"
    )


@cache
def _lower_case() -> tuple[dict[str, Any], ...]:
    """Lower case as ``str.lower`` makes it.

    A capital sigma that ends a word becomes a final one: there is a letter with case before it and
    none behind it, whatever stands between that is no letter.
    """
    cased, between = [], []
    for character in _every_character():
        if (character + "Σ").lower()[-1] == "ς":
            cased.append(ord(character))
        elif ("A" + character + "Σ").lower()[-1] == "ς":
            between.append(ord(character))
    before, skipped = f"[{_ranges(cased)}]", f"[{_ranges(between)}]*"
    sigma = f"(?<={before}{skipped})Σ(?!{skipped}{before})"
    return _replace({"Regex": sigma}, "ς"), {"type": "Lowercase"}


def _every_character() -> Iterable[str]:
    """All of Unicode but the halves of surrogate pairs."""
    return map(chr, [*range(0xD800), *range(0xE000, 0x110000)])


def _class(kind: int) -> str:
    codepoints = np.arange(0x110000, dtype=np.uint32)
    codepoints = codepoints[(codepoints < 0xD800) | (codepoints >= 0xE000)]
    return _ranges(codepoints[classify(codepoints) == kind].tolist())


@cache
def _white_space() -> str:
    return "".join(character for character in _every_character() if character.isspace())


def _listed(characters: str) -> str:
    """Characters within the brackets of a regular expression."""
    return _ranges(sorted(set(map(ord, characters))))


def _ranges(codepoints: Sequence[int]) -> str:
    """Sorted code points as ranges within the brackets of a regular expression."""
    numbers = np.asarray(codepoints, dtype=np.int64)
    breaks = np.flatnonzero(np.diff(numbers) > 1)
    firsts = numbers[np.concatenate([[0], breaks + 1])] if len(numbers) else numbers
    lasts = numbers[np.concatenate([breaks, [len(numbers) - 1]])] if len(numbers) else numbers
    return "".join(
        _escaped(first) if first == last else f"{_escaped(first)}-{_escaped(last)}"
        for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True)
    )


def _escaped(codepoint: int) -> str:
    """A character, and a stroke before it where it means something within brackets."""
    character = chr(codepoint)
    return f"\\{character}" if character in r"\[]^-&~" else character
