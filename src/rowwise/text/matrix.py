"""Lists of ids as rows of numbers, one column per id."""

from collections.abc import Mapping, Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from rowwise.errors import InvalidArgumentError, InvalidIdError

MODES = ("binary", "count", "freq", "tfidf")


def ids_to_matrix(
    sequences: Sequence[Sequence[int]],
    columns: int,
    mode: str,
    document_count: int,
    index_docs: Mapping[int, int],
) -> NDArray[np.float64]:
    """Return a row per sequence and a column per id; ids from ``columns`` on are left out.

    Args:
        sequences: lists of ids.
        columns: the number of columns.
        mode: "binary": 1 where the id occurs; "count": how often; "freq": how often by the length
            of the sequence; "tfidf": (1 + ln count) ln(1 + documents / (1 + documents with the
            id)).
        document_count: documents seen, for "tfidf".
        index_docs: documents that hold an id, for "tfidf".

    Returns:
        float64 ``(sequences, columns)``.

    Raises:
        InvalidArgumentError: there is no such mode.
        InvalidIdError: an id is negative or not a whole number.
    """
    if mode not in MODES:
        raise InvalidArgumentError(f"`mode` must be one of {MODES}. Received: {mode!r}")
    matrix = np.zeros((len(sequences), columns))
    lengths = np.fromiter(map(len, sequences), dtype=np.int64, count=len(sequences))
    ids = _flat_ids(sequences)
    rows = np.repeat(np.arange(len(sequences)), lengths)
    if len(ids) and ids.min() < 0:
        place = int(np.argmax(ids < 0))
        _raise_for_id(ids[place], int(rows[place]))
    has_column = ids < columns
    cells, counts = np.unique(rows[has_column] * columns + ids[has_column], return_counts=True)
    row_of, id_of = np.divmod(cells, max(columns, 1))
    if mode == "binary":
        values = np.ones(len(cells))
    elif mode == "count":
        values = counts.astype(np.float64)
    elif mode == "freq":
        values = counts / lengths[row_of]
    else:
        distinct, inverse = np.unique(id_of, return_inverse=True)
        holders = np.array([index_docs.get(id, 0) for id in distinct.tolist()], dtype=np.int64)
        rarity = np.log(1 + document_count / (1 + holders))
        values = (1 + np.log(counts)) * rarity[inverse]
    matrix[row_of, id_of] = values
    return matrix


def _flat_ids(sequences: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    flat = list(chain.from_iterable(sequences))
    if not flat:
        return np.zeros(0, dtype=np.int64)
    if np.asarray(flat).dtype.kind not in "iub":
        for position, sequence in enumerate(sequences):
            for id in sequence:
                if not hasattr(id, "__index__"):
                    _raise_for_id(id, position)
    return np.array(flat, dtype=np.int64)


def _raise_for_id(id: object, position: int) -> None:
    raise InvalidIdError(
        f"Ids must be whole numbers of at least 0. Received: {id!r} in the sequence at position "
        f"{position}"
    )
