"""gensim's own files: a pickle, and big arrays in ``.npy`` files beside it.

Unpickling can run any program, so such a file is read only when it is asked for, and then by an
unpickler that knows nothing but arrays and plain values. gensim is not needed.
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rowwise.errors import DataFileError
from rowwise.vectors.formats import npy, restricted_pickle
from rowwise.vectors.formats.format import Format, Loaded
from rowwise.vectors.formats.pickle_values import Attributes
from rowwise.vectors.formats.request import Request
from rowwise.vectors.formats.source import Source, plain_source
from rowwise.vectors.formats.table import cut_down, new_report
from rowwise.vectors.packing import PackedWords
from rowwise.vectors.subwords import BucketSubwords, ComposedRows

# Since gensim 4, before, and in models of fastText, where rows are composed.
_ROWS = ("vectors", "syn0", "vectors_vocab")
_PROTOCOLS = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")


def matches(source: Source) -> bool:
    """Whether this is a pickle."""
    start = source.start
    return start.startswith(_PROTOCOLS) and (
        start[2:3] == b"\x95" or b"gensim" in start[:200] or start[-1:] == b"."
    )


def read(source: Source, request: Request) -> Loaded:
    """Words, rows (n, d), and subwords of a gensim ``KeyedVectors`` or a model that has one.

    Raises:
        DataFileError: unpickling was not asked for, or the pickle holds something else.
    """
    if not request.unpickle:
        raise DataFileError(
            f"{source.name!r} is a pickle, as gensim's own files are, and unpickling can run any "
            "program. If you trust where it comes from, pass unpickle=True: it is then read by an "
            "unpickler that knows arrays and plain values only. Or save it with gensim's "
            "save_word2vec_format and load that."
        )
    whole = restricted_pickle.load(source.content.data, source.name)
    if not isinstance(whole, Attributes):
        raise DataFileError(f"{source.name!r} is a pickle of something else than gensim's vectors.")
    prefix = str(source.path)
    _attach(whole, prefix)
    vectors = whole
    if isinstance(vars(whole).get("wv"), Attributes):
        vectors, prefix = whole.wv, f"{prefix}.wv"  # type: ignore[attr-defined]
        _attach(vectors, prefix)
    held = vars(vectors)
    words = held.get("index_to_key", held.get("index2word", held.get("index2entity")))
    rows = next((held[name] for name in _ROWS if held.get(name) is not None), None)
    if (
        not isinstance(words, list)
        or not all(isinstance(word, str) for word in words)
        or not isinstance(rows, np.ndarray)
        or rows.ndim != 2
        or rows.dtype.kind != "f"
        or len(rows) < len(words)
    ):
        raise DataFileError(
            f"{source.name!r} holds no words and rows as gensim's KeyedVectors do. It holds: "
            f"{', '.join(sorted(held)[:20])}."
        )
    report = new_report(source, "gensim")
    subwords = _subwords(source, held)
    if "vectors" not in held and subwords is not None:
        # A model of fastText has the words' own rows; theirs are composed, as they are there.
        rows = _composed(words, rows, subwords)
    loaded = cut_down(PackedWords.pack(words), rows[: len(words)], request, report)
    loaded.subwords = subwords
    return loaded


def _composed(
    words: list[str], own: npt.NDArray[np.float32], subwords: BucketSubwords
) -> npt.NDArray[np.float32]:
    """The mean of each word's own row and those of its n-grams, float32 (n, d)."""
    both = BucketSubwords(
        np.concatenate([own, subwords.dense()]),
        minn=subwords.minn,
        maxn=subwords.maxn,
        buckets=subwords.buckets,
        first=len(own),
    )
    return ComposedRows(both.table, np.arange(len(words)), PackedWords.pack(words), both).all()


def _attach(whole: Attributes, prefix: str) -> None:
    """Read the arrays that stand in files of their own."""
    for name in vars(whole).get("__numpys") or []:
        path = Path(f"{prefix}.{name}.npy")
        if not isinstance(name, str) or "/" in name or not path.is_file():
            raise DataFileError(f"There is no file {str(path)!r}, where the array {name!r} stands.")
        setattr(whole, name, npy.open_array(plain_source(path)))


def _subwords(source: Source, held: dict[str, Any]) -> BucketSubwords | None:
    table = held.get("vectors_ngrams")
    if not isinstance(table, np.ndarray) or table.ndim != 2 or not len(table):
        return None
    try:
        return BucketSubwords(
            table, minn=int(held["min_n"]), maxn=int(held["max_n"]), buckets=int(held["bucket"])
        )
    except (KeyError, TypeError, ValueError) as error:
        raise DataFileError(f"{source.name!r}: its n-grams make no sense ({error}).") from error


GENSIM = Format(
    name="gensim",
    about="gensim's own: a pickle, read only with unpickle=True",
    matches=matches,
    read=read,
)
