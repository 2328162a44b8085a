"""Text to ids: vocabularies, Keras's Tokenizer and its companions."""

from rowwise.text.counting.counts import WordCounts
from rowwise.text.counting.files import count_words
from rowwise.text.encoded import EncodedTexts
from rowwise.text.examples import Examples, read_examples, read_texts
from rowwise.text.hashing import hashing_trick, one_hot
from rowwise.text.id_column import IdColumn
from rowwise.text.id_counts import IdCounts
from rowwise.text.indexed.example_files import ExampleFiles
from rowwise.text.padding import pad_sequences
from rowwise.text.sampling import make_sampling_table, skipgrams
from rowwise.text.splitting import DEFAULT_FILTERS, Splitter, text_to_word_sequence
from rowwise.text.tokenizer import Tokenizer
from rowwise.text.tokenizer_json import tokenizer_from_json
from rowwise.text.vocabulary import Vocabulary
from rowwise.text.words import Words

__all__ = [
    "DEFAULT_FILTERS",
    "EncodedTexts",
    "ExampleFiles",
    "Examples",
    "IdColumn",
    "IdCounts",
    "Splitter",
    "Tokenizer",
    "Vocabulary",
    "WordCounts",
    "Words",
    "count_words",
    "hashing_trick",
    "make_sampling_table",
    "one_hot",
    "pad_sequences",
    "read_examples",
    "read_texts",
    "skipgrams",
    "text_to_word_sequence",
    "tokenizer_from_json",
]
