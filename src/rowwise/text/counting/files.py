"""Counting the words of files, in this process, in others, or on a cluster."""

import os
import sys
from collections.abc import Iterable
from typing import Any

from rowwise.errors import InvalidArgumentError
from rowwise.text.checks import Paths, shorten
from rowwise.text.counting.cluster import count_on_cluster, processors_of
from rowwise.text.counting.counts import Merger, WordCounts
from rowwise.text.counting.one_part import count_part
from rowwise.text.counting.parts import cut, files_of
from rowwise.text.counting.processes import count_in_processes, pickled
from rowwise.text.cutting import Cutter
from rowwise.text.progress import progress_of
from rowwise.text.splitting import Splitter

# Starting a process takes as long as counting some megabytes.
SMALL_BYTES = 1 << 25
# Parts are small enough that all workers end at about the same time and that little is lost with
# one, and large enough that most words of a part are not new to the others.
LEAST_PART_BYTES = 1 << 22
MOST_PART_BYTES = 1 << 26
_PARTS_PER_WORKER = 4
# Of int32, in which counts have the number of a file, half is left for those after the first one.
_MOST_FILES = 1 << 30


def count_words(
    paths: Paths,
    splitter: Splitter | None = None,
    *,
    text: str | None = None,
    format: str | None = None,
    workers: int | None = None,
    client: Any = None,
    progress: Any = None,
    first_file: int = 0,
) -> WordCounts:
    """Count the words of files that need not fit into memory.

    This is what ``Vocabulary.count`` and ``Tokenizer.fit_files`` do. The counts can be kept, and
    merged with those of more files. Memory grows with the number of distinct words alone: at most
    some hundred bytes for each, in every process.

    Args:
        paths: one path or many, in the order of their texts. ``read_examples`` and ``read_texts``
            say what files may hold, and which faults are named.
        splitter: how to cut texts into words; as Keras's ``Tokenizer`` by default.
        text: the column of texts; None for plain files of a text on each line.
        format: ``"text"``, ``"csv"``, ``"tsv"``, ``"jsonl"`` or ``"parquet"`` for all files; by
            default the suffixes tell.
        workers: processes that count, 1 for this one alone; None: one for each processor, if the
            files are large.
        client: a ``distributed.Client``: its workers count, which must see the files under the
            same paths (extra ``dask``).
        progress: as in ``Vectors.load``, with the bytes of files that are done.
        first_file: the number of the first of these files, so that counts of files that were
            counted apart can be merged: they must differ in it.

    Raises:
        DataFileError: a file is missing, or anything in it is not as it must be; of several
            faults any one is named.
        InvalidArgumentError: another argument has a value that makes no sense.
        WorkerError: a part of a file could not be counted in another process.
        MissingExtraError: ``client`` is given, and ``distributed`` is not installed.
    """
    return count_cut(
        Cutter(splitter or Splitter()),
        paths,
        text=text,
        format=format,
        workers=workers,
        client=client,
        progress=progress,
        first_file=first_file,
    )


def count_cut(
    cutter: Cutter,
    paths: Paths,
    *,
    text: str | None,
    format: str | None,
    workers: int | None,
    client: Any,
    progress: Any,
    first_file: int = 0,
) -> WordCounts:
    """Do the work of ``count_words`` with any way to cut texts."""
    _require_workers(workers, client)
    _require_column(text)
    _require_number(first_file)
    files = files_of(_listed(paths), text, format, first_file)
    total = sum(file.size for file in files)
    if client is not None:
        workers = processors_of(client)
    elif workers is None:
        workers = _processors() if total >= SMALL_BYTES and _can_be_sent(cutter) else 1
    part_bytes = total // (_PARTS_PER_WORKER * workers)
    parts = cut(files, max(LEAST_PART_BYTES, min(MOST_PART_BYTES, part_bytes)))
    processes = min(workers, len(parts))
    done = 0

    def tell(size: int) -> None:
        nonlocal done
        done += size
        if told is not None:
            told(done, total)

    with progress_of(progress) as told:
        if client is not None:
            return count_on_cluster(parts, cutter, client, tell)
        if processes > 1:
            return count_in_processes(parts, cutter, processes, tell)
        merger = Merger()
        for part in parts:
            merger.add(count_part(part, cutter))
            tell(part.size)
        return merger.result()


def _listed(paths: Any) -> list[str | os.PathLike[str]]:
    one = isinstance(paths, str | bytes) or not isinstance(paths, Iterable)
    given = [paths] if one else list(paths)
    for path in given:
        if not isinstance(path, str | os.PathLike):
            raise InvalidArgumentError(
                f"`paths` must be a path or a list of paths. Received: {shorten(path)} of type "
                f"{type(path).__name__}."
            )
    return given


def _require_column(text: str | None) -> None:
    if text is not None and not isinstance(text, str):
        raise InvalidArgumentError(
            "`text` must be the name of a column, or its number from 1 on as a string. "
            f"Received: {shorten(text)} of type {type(text).__name__}."
        )


def _require_number(first_file: int) -> None:
    is_whole = hasattr(first_file, "__index__") and not isinstance(first_file, bool)
    if not is_whole or not 0 <= first_file < _MOST_FILES:
        raise InvalidArgumentError(
            f"`first_file` must be a whole number from 0 to {_MOST_FILES - 1:,}. "
            f"Received: {first_file!r}."
        )


def _require_workers(workers: int | None, client: Any) -> None:
    if workers is None:
        return
    if isinstance(workers, bool) or not hasattr(workers, "__index__") or workers < 1:
        raise InvalidArgumentError(
            f"`workers` must be a whole number of at least 1, or None. Received: {workers!r}"
        )
    if client is not None:
        raise InvalidArgumentError(
            "`workers` are processes of this machine; with `client` the cluster has its own. "
            "Give one of the two."
        )


def _processors() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1


def _can_be_sent(cutter: Cutter) -> bool:
    """Whether a process that does not run the user's script can load a user's ``analyzer``."""
    try:
        pickled(cutter)
    except InvalidArgumentError:
        return False
    return bool(sys.executable)
