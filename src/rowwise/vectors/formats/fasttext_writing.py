"""Writing fastText's ``.bin``."""

import struct
from typing import Any

import numpy as np

from rowwise.errors import InvalidArgumentError
from rowwise.vectors.formats.format import Content
from rowwise.vectors.formats.holding import LONGEST_WORD, check_rows, check_words
from rowwise.vectors.quantised import QuantisedMatrix, take
from rowwise.vectors.subwords import BucketSubwords

MAGIC = 793712314
VERSION = 12
SETTINGS = (
    "dim",
    "ws",
    "epoch",
    "min_count",
    "neg",
    "word_ngrams",
    "loss",
    "model",
    "bucket",
    "minn",
    "maxn",
    "lr_update_rate",
)
_BLOCK_ROWS = 8_192


def write(file: Any, content: Content) -> None:
    """Write a model of skip-grams whose words have these rows.

    A model is written that gives rows and takes no further training: its output matrix has no
    rows. How often a word occurred is not known; it is written as once.

    Raises:
        InvalidArgumentError: a word is too long or holds NUL or white space, at which fastText
            would split it, there are no columns, or the rows do not go with their subwords.
    """
    check_words(content.words, "fastText format", "\0 \n\r\t\v\f", longest=LONGEST_WORD)
    check_rows(content.rows, "fastText format", none=True)
    subwords, composed = content.subwords, content.composed
    words, columns = content.rows.shape
    minn = maxn = buckets = 0
    if subwords is not None:
        if (
            not isinstance(subwords, BucketSubwords)
            or composed is None
            or isinstance(subwords.table, QuantisedMatrix)
            or not subwords.fit_fasttext
        ):
            raise InvalidArgumentError(
                "The fastText format holds words' own rows beside those of their n-grams, and of "
                "these vectors only the sums are known, or n-grams that are not fastText's, or a "
                "quantised or pruned table. Save as .safetensors, which keeps words and subwords, "
                "or as .vec without subwords."
            )
        minn, maxn, buckets = subwords.minn, subwords.maxn, subwords.buckets
    file.write(struct.pack("<2i", MAGIC, VERSION))
    settings = (columns, 5, 5, 1, 5, 1, 2, 2, buckets, minn, maxn, 100)
    file.write(struct.pack("<12id", *settings, 1e-4))
    file.write(struct.pack("<3i2q", words, words, 0, words, -1))
    for word in content.words:
        file.write(word.encode("utf-8") + b"\0" + struct.pack("<qb", 1, 0))
    file.write(struct.pack("<?2q", False, words + buckets, columns))
    if composed is not None and isinstance(subwords, BucketSubwords):
        for start in range(0, words, _BLOCK_ROWS):
            _write_rows(file, take(composed.table, composed.own[start : start + _BLOCK_ROWS]))
        _write_rows(file, subwords.dense()[:buckets])
    else:
        _write_rows(file, content.rows)
    file.write(struct.pack("<?2q", False, 0, columns))


def _write_rows(file: Any, rows: Any) -> None:
    for start in range(0, len(rows), _BLOCK_ROWS):
        file.write(np.ascontiguousarray(rows[start : start + _BLOCK_ROWS], dtype="<f4").tobytes())
