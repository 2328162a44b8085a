"""Files for TensorBoard's Embedding Projector."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rowwise.errors import InvalidArgumentError
from rowwise.text.wording import counted
from rowwise.vectors import Vectors
from rowwise.vectors.formats.tensorboard import write_projector_files
from rowwise.viz.words import chosen_words


def write_projector(
    vectors: Vectors,
    folder: str | os.PathLike[str],
    words: Sequence[str] | None = None,
    *,
    columns: Mapping[str, Sequence[Any] | npt.NDArray[Any]] | None = None,
) -> Path:
    """Write words and rows for TensorBoard's Embedding Projector: ``tensorboard --logdir FOLDER``.

    TensorBoard shows the folder that it is given, and folders under it that a run has logged to:
    such a folder's other files stay. Keras's own callback names a checkpoint there that TensorBoard
    cannot read.

    Args:
        vectors: words and rows.
        folder: made where there is none. ``vectors.tsv``, ``metadata.tsv`` and
            ``projector_config.pbtxt`` in it are replaced.
        words: those to write, each once; by default all. In a browser the projector works with
            tens of thousands.
        columns: labels or numbers for each word, by name, to colour and search by. The first
            column, ``word``, is there anyway.

    Returns:
        the folder.

    Raises:
        UnknownWordError: a word that ``vectors`` does not hold.
        InvalidArgumentError: no words, a word twice, a row with NaN or infinity, another number of
            labels than words, a label that is empty or holds a tab or a line break, a column
            ``word``, or a file where the folder would be. Nothing is written then.
    """
    chosen = list(vectors.words) if words is None else chosen_words(vectors, words, 0)
    given = {} if columns is None else {name: list(values) for name, values in columns.items()}
    for name, values in given.items():
        if len(values) != len(chosen):
            raise InvalidArgumentError(
                f"Column {name!r} must have a value for each of the "
                f"{counted(len(chosen), 'word')}. Received {len(values):,}."
            )
    there = Path(folder)
    rows = vectors.rows
    if words is not None:
        rows = rows[np.array([vectors.index(word) for word in chosen], dtype=np.intp)]
    sound = np.isfinite(rows).all(axis=1)
    if not sound.all():
        raise InvalidArgumentError(
            f"Every number must be finite. The row of {chosen[int(np.argmin(sound))]!r} holds NaN "
            f"or infinity; {int((~sound).sum()):,} of {counted(len(chosen), 'row')} do so. Leave "
            "them out: words=[...]."
        )
    write_projector_files(there, chosen, rows, given)
    return there
