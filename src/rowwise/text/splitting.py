"""How texts are cut into words: the rules as a value, and cutting one text."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from rowwise.errors import InvalidArgumentError
from rowwise.text.checks import as_text_list, not_a_text, require_unicode
from rowwise.text.spans import Style, intern_texts
from rowwise.text.words import Words

# What Keras's Tokenizer filters: punctuation, tab and new line, but not the apostrophe.
DEFAULT_FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'


def text_to_word_sequence(
    text: str,
    filters: Iterable[str] = DEFAULT_FILTERS,
    lower: bool = True,
    split: str | None = " ",
) -> list[str]:
    """Cut one text into words, as the Keras function of this name.

    Args:
        text: the text.
        filters: characters that separate words, beside ``split``.
        lower: whether to make the text lower-case first.
        split: what separates words; None separates at white space and deletes the filters.

    Raises:
        InvalidTextError: ``text`` is not a string.
        InvalidArgumentError: ``split`` is empty, or a filter is not one character.
    """
    splitter = Splitter(lower=lower, filters=join_filters(filters), separator=split)
    return splitter.split(text)


def join_filters(filters: Iterable[str]) -> str:
    """Return filters, which may be a list of characters, as one string.

    Raises:
        InvalidArgumentError: a filter is not one character.
    """
    if isinstance(filters, str):
        return filters
    if not isinstance(filters, Iterable):
        raise InvalidArgumentError(
            "`filters` must be a string or a list of single characters; '' filters nothing. "
            f"Received: {filters!r}"
        )
    characters = list(filters)
    for position, character in enumerate(characters):
        if not isinstance(character, str) or len(character) != 1:
            raise InvalidArgumentError(
                "`filters` must be a string or a list of single characters. "
                f"Received: {character!r} at position {position}"
            )
    return "".join(characters)


@dataclass(frozen=True)
class Splitter:
    """How texts are cut into words.

    By default exactly as Keras's ``Tokenizer`` does it. With ``marks=True`` punctuation is kept:
    words are runs of letters, digits and underscores, with apostrophes inside (``don't``); every
    other visible character is a token of its own; white space and control characters separate;
    accents and joiners stay with the character before them.

    Args:
        lower: make texts lower-case first, as ``str.lower``.
        filters: characters that separate words, beside ``separator``.
        separator: what separates words (Keras calls it ``split``); None separates at white space
            and deletes the filters.
        char_level: every character is a token; ``filters`` and ``separator`` do not apply.
        marks: keep punctuation as tokens; ``filters`` and ``separator`` do not apply.

    Raises:
        InvalidArgumentError: ``separator`` is empty, or ``char_level`` and ``marks`` are both set.
    """

    lower: bool = True
    filters: str = DEFAULT_FILTERS
    separator: str | None = " "
    char_level: bool = False
    marks: bool = False

    def __post_init__(self) -> None:
        """Check what cannot work."""
        if self.char_level and self.marks:
            raise InvalidArgumentError(
                "`char_level=True` and `marks=True` exclude each other: choose one."
            )
        if not isinstance(self.filters, str):
            raise InvalidArgumentError(
                f"`filters` must be a string; '' filters nothing. Received: {self.filters!r}"
            )
        if self.separator == "" and not (self.char_level or self.marks):
            raise InvalidArgumentError(
                "The separator (`split` in Keras) must not be empty. "
                "For one token per character use char_level=True."
            )

    def split(self, text: str, position: int = 0) -> list[str]:
        """Return the words of one text.

        Args:
            text: the text.
            position: its position among others, for error messages.

        Raises:
            InvalidTextError: ``text`` is not a string, or holds a lone surrogate.
        """
        if not isinstance(text, str):
            not_a_text(text, position)
        if not text.isascii():
            require_unicode(text, position)
        if self.char_level:
            return list(text.lower() if self.lower else text)
        if self.marks:
            return self.intern([text]).to_lists()[0]
        return self._split_as_keras(text)

    def split_all(self, texts: Iterable[str]) -> Words:
        """Return the words of many texts, dictionary-encoded; fast for large numbers of texts.

        Raises:
            InvalidTextError: ``texts`` is one string, or an item is not a string or holds a lone
                surrogate; the message names its position.
        """
        return self.intern(as_text_list(texts))

    def intern(self, texts: list[str], first_position: int = 0) -> Words:
        """Do the work of ``split_all`` for a list that is known to hold strings only.

        Args:
            texts: strings.
            first_position: the position of the first, for error messages.
        """
        if self.marks or self.char_level:
            style: Style = "marks" if self.marks else "characters"
            return intern_texts(texts, style, self.lower, " ", " ", first_position)
        if self.separator and len(self.separator) == 1:
            separators = self.filters + self.separator
            # Texts are joined by a separator that making lower-case leaves alone.
            joints = [one for one in separators if not self.lower or one == one.lower()]
            if joints:
                joint = min(joints)
                return intern_texts(texts, "words", self.lower, separators, joint, first_position)
        # Filters become whole separators, which may then overlap: only str.split knows where.
        return Words.from_lists(
            self.split(text, first_position + i) for i, text in enumerate(texts)
        )

    def to_config(self) -> dict[str, Any]:
        """Return the arguments as a dictionary that JSON can hold."""
        return asdict(self)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "Splitter":
        """Make a splitter from what ``to_config`` returned.

        Raises:
            InvalidArgumentError: a key is not an argument of ``Splitter``.
        """
        unknown = sorted(set(config) - {field.name for field in fields(cls)})
        if unknown:
            raise InvalidArgumentError(
                f"A splitter's configuration has no {', '.join(unknown)}. It was probably written "
                "by a newer version of rowwise."
            )
        return cls(**config)

    def _split_as_keras(self, text: str) -> list[str]:
        if self.lower:
            text = text.lower()
        replacement: dict[str, str | int | None] = dict.fromkeys(self.filters, self.separator)
        text = text.translate(str.maketrans(replacement))
        return [word for word in text.split(self.separator) if word]
