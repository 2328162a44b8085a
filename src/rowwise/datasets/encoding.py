"""What turns the texts of a dataset into ids."""

from dataclasses import dataclass
from typing import Any

from rowwise.errors import InvalidArgumentError
from rowwise.text import Splitter, Tokenizer, Vocabulary
from rowwise.text.encoded import EncodedTexts
from rowwise.text.indexed.windows import Encoder


@dataclass(frozen=True)
class _VocabularyEncoder:
    """A vocabulary and how texts are cut for it."""

    vocabulary: Vocabulary
    splitter: Splitter | None

    def encode(self, texts: list[str], **options: Any) -> EncodedTexts:
        return self.vocabulary.encode(texts, self.splitter, **options)


def encoder_of(tokenizer: Any, splitter: Splitter | None) -> Encoder:
    """What a user gave, as something with the method ``encode``.

    Raises:
        InvalidArgumentError: it has none, or a tokenizer is not fitted, or a splitter is given
            for anything but a vocabulary.
    """
    if isinstance(tokenizer, Vocabulary):
        return _VocabularyEncoder(tokenizer, splitter)
    if splitter is not None:
        raise InvalidArgumentError(
            "`splitter` cuts texts for a Vocabulary; a Tokenizer cuts them by itself. Leave it out."
        )
    if isinstance(tokenizer, Tokenizer) and not tokenizer.word_index:
        raise InvalidArgumentError(
            "The tokenizer knows no words yet: fit it first, as with "
            "tokenizer.fit_files(paths, text=...)."
        )
    if not callable(getattr(tokenizer, "encode", None)):
        raise InvalidArgumentError(
            "`tokenizer` must be a Tokenizer or a Vocabulary, or have their method `encode`. "
            f"Received: {tokenizer!r}"
        )
    encoder: Encoder = tokenizer
    return encoder
