"""Where the examples of files are, and their labels: what one pass over the files finds."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rowwise.errors import InvalidArgumentError
from rowwise.text.checks import Paths
from rowwise.text.indexed.copies import Copy
from rowwise.text.indexed.rows import BLOCK_BYTES, Place, blocks_in, row_groups_in, rows_of
from rowwise.text.indexed.sources import Names, Source, is_readable_anywhere, sources_of
from rowwise.text.indexed.values import Values, values_of
from rowwise.text.progress import progress_of
from rowwise.text.reading import NO_ROWS, Fault, listed, naming, shown

# A row group that is larger is not read whenever some of its rows are wanted.
_LARGE_GROUP = 8 * BLOCK_BYTES


@dataclass(frozen=True)
class Index:
    """The blocks of files and the labels of their examples, in the order of the files.

    About a hundred bytes for each block and one to four for the label of each example.
    """

    names: Names
    sources: tuple[Source, ...]
    copies: tuple[Copy | None, ...]
    """What is read in a source's place, where it can be read from the beginning only."""
    files: NDArray[np.int32]
    """The source of each block, ``(blocks,)``."""
    places: NDArray[np.int64]
    """``start``, ``end`` and ``first`` of each block, ``(blocks, 3)``."""
    begins: NDArray[np.int64]
    """The number of the first example of each block, and of all, ``(blocks + 1,)``."""
    classes: tuple[str, ...] | None
    codes: NDArray[Any] | None
    """The label of each example, as its place in ``classes``; unsigned, ``(examples,)``."""
    characters: int
    """Of all texts."""

    def read(self, blocks: Sequence[int]) -> Iterator[tuple[list[str], list[float] | None]]:
        """The texts and weights of blocks, which are given in the order of the files.

        Raises:
            DataFileError: a file has changed, or cannot be read any more.
        """
        for file, of_file in groupby(blocks, lambda block: int(self.files[block])):
            numbers = list(of_file)
            source, copy = self.sources[file], self.copies[file]
            places = [Place(*self.places[number].tolist()) for number in numbers]
            if copy is not None:
                for texts, weights in copy.read(places):
                    yield texts, None if self.names.weight is None else weights
                continue
            with naming(source.path):
                rows = rows_of(source, places, self.names)
                for number, of_block in zip(numbers, rows, strict=True):
                    values = values_of(source, self.names, of_block, with_labels=False)
                    if len(values.texts) != self.begins[number + 1] - self.begins[number]:
                        source.require_unchanged()
                        raise Fault("other rows were found than before. Leave the file alone")
                    yield values.texts, values.weights


def index_of(
    paths: Paths,
    names: Names,
    format: str | None,
    classes: Iterable[str] | None,
    progress: Any,
) -> Index:
    """Find the examples of files.

    Raises:
        DataFileError: a file is missing, or anything in it is not as it must be.
        InvalidArgumentError: another argument has a value that makes no sense.
    """
    given = _given_classes(classes, names)
    sources = sources_of(paths, names, format)
    finder = _Finder(names, given)
    copies: list[Copy | None] = []
    total, before = sum(source.size for source in sources), 0
    with progress_of(progress) as told:
        for file, source in enumerate(sources):
            with naming(source.path):
                anywhere = is_readable_anywhere(source, names, _LARGE_GROUP)
                copy = None if anywhere else Copy()
                copies.append(copy)
                any_row = False
                for place, values in _blocks(source, names, copy):
                    any_row = any_row or bool(values.texts)
                    finder.add(file, place, values, source)
                    if told is not None and anywhere and source.format != "parquet":
                        told(before + place.end, total)
                if not any_row:
                    raise Fault(NO_ROWS)
                source.require_unchanged()
            before += source.size
            if told is not None:
                told(before, total)
    return finder.index(sources, copies)


def _blocks(source: Source, names: Names, copy: Copy | None) -> Iterator[tuple[Place, Values]]:
    if copy is not None:
        found = (values_of(source, names, rows) for _, rows in blocks_in(source, names))
        yield from copy.write(found)
        return
    find = row_groups_in if source.format == "parquet" else blocks_in
    for place, rows in find(source, names):
        yield place, values_of(source, names, rows)


class _Finder:
    """Collects blocks, and numbers labels as they appear."""

    def __init__(self, names: Names, classes: list[str] | None) -> None:
        self._names = names
        self._are_given = classes is not None
        self._numbers = {name: number for number, name in enumerate(classes or [])}
        self._files: list[int] = []
        self._places: list[tuple[int, int, int]] = []
        self._counts: list[int] = []
        self._codes: list[NDArray[Any]] = []
        self._characters = 0

    def add(self, file: int, place: Place, values: Values, source: Source) -> None:
        if not values.texts:
            return
        self._files.append(file)
        self._places.append((place.start, place.end, place.first))
        self._counts.append(len(values.texts))
        self._characters += sum(map(len, values.texts))
        if values.labels is None:
            return
        for label in dict.fromkeys(values.labels):
            if label not in self._numbers:
                if self._are_given:
                    number = values.numbers[values.labels.index(label)]
                    known = listed(self._numbers, 5)
                    raise Fault(
                        f"the label {shown(label)} is none of the classes {known}. Add it to "
                        "`classes`, or leave this example out",
                        f"{source.unit} {number}, column {shown(self._names.label)}",
                    )
                self._numbers[label] = len(self._numbers)
        codes = map(self._numbers.__getitem__, values.labels)
        self._codes.append(np.fromiter(codes, _smallest(len(self._numbers)), len(values.labels)))

    def index(self, sources: list[Source], copies: list[Copy | None]) -> Index:
        classes, codes = None, None
        if self._names.label is not None:
            names = list(self._numbers)
            if not self._are_given:
                names.sort()
            classes = tuple(names)
            number_of = {name: number for number, name in enumerate(names)}
            final = np.array([number_of[name] for name in self._numbers], _smallest(len(names)))
            codes = final[np.concatenate(self._codes)]
        return Index(
            self._names,
            tuple(sources),
            tuple(copies),
            np.array(self._files, dtype=np.int32),
            np.array(self._places, dtype=np.int64).reshape(-1, 3),
            np.concatenate([[0], np.cumsum(self._counts, dtype=np.int64)]),
            classes,
            codes,
            self._characters,
        )


def _smallest(size: int) -> np.dtype[Any]:
    """The smallest type for numbers below ``size``."""
    return np.min_scalar_type(max(size - 1, 0))


def _given_classes(classes: Iterable[str] | None, names: Names) -> list[str] | None:
    if classes is None:
        return None
    if names.label is None:
        raise InvalidArgumentError("`classes` are those of a column of labels: give `label`, too.")
    given = [str(name) for name in classes]
    if len(set(given)) < len(given) or not given or isinstance(classes, str):
        raise InvalidArgumentError(
            f"`classes` must be different labels, at least one. Received: {classes!r}."
        )
    return given
