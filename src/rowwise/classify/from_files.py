"""``LearningFiles``: a classifier that learns from files larger than memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from rowwise.backend import keras
from rowwise.classify.parameters import check_parameters
from rowwise.datasets import TextDataset
from rowwise.errors import InvalidArgumentError
from rowwise.text import EncodedTexts, ExampleFiles, Splitter, Vocabulary, WordCounts
from rowwise.text.checks import Paths
from rowwise.text.counting.counts import Merger
from rowwise.text.progress import progress_of

# Texts are cut into words so many characters at a time.
PART_CHARACTERS = 1 << 22


class LearningFiles:
    """Learning from files whose texts stay there."""

    if TYPE_CHECKING:
        classes_: npt.NDArray[Any]
        vocabulary_: Vocabulary
        splitter_: Splitter
        max_length_: int
        validation_split: float
        max_words: int | None
        min_count: int

        def _afresh(self) -> Self: ...
        def _begin(self) -> np.random.Generator: ...
        def _check_classes(self, texts: int) -> None: ...
        def _check_words(self, texts: int) -> None: ...
        def _take_length(self, percentile: float) -> int: ...
        def _weigh(self, counts: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]: ...
        def _plan(self, texts: int) -> Any: ...
        def _build(self, plan: Any, seed: int) -> Any: ...
        def _train(self, plan: Any, training: Any, validation: Any) -> None: ...

    def fit_files(
        self,
        files: ExampleFiles | Paths,
        *,
        text: str | None = None,
        label: str | None = None,
        format: str | None = None,
        progress: Any = None,
    ) -> Self:
        """Learn from texts and labels in files that need not fit into memory.

        It learns what ``fit`` learns, from batches that a ``TextDataset`` shuffles. Texts that are
        held out for validation are others than those of ``fit``, as many of each label. With a
        column of weights in ``files``, each text counts as much as its weight.

        Args:
            files: ``ExampleFiles`` with labels, or one path or many of CSV, TSV, JSON Lines or
                Parquet.
            text: the column of texts; this and the next two only if ``files`` are paths.
            label: the column of labels.
            format: of all files; by default the suffixes tell.
            progress: as in ``Vectors.load``, for finding the examples and counting their words.

        Raises:
            DataFileError: a file is missing, or anything in it is not as it must be.
            InvalidArgumentError: a parameter without sense, or fewer than two classes.
        """
        if not isinstance(files, ExampleFiles):
            if text is None or label is None:
                raise InvalidArgumentError(
                    "The columns of texts and of labels must be named: give `text` and `label`."
                )
            files = ExampleFiles(files, text=text, label=label, format=format, progress=progress)
        elif text is not None or label is not None or format is not None:
            raise InvalidArgumentError(
                "`text`, `label` and `format` go with paths; these ExampleFiles have their columns "
                "already. Leave them out."
            )
        if files.classes is None:
            raise InvalidArgumentError("These ExampleFiles have no labels: make them with `label`.")
        learned = self._afresh()
        learned._learn_files(files, progress)
        self.__dict__ = learned.__dict__
        return self

    def _learn_files(self, files: ExampleFiles, progress: Any) -> None:
        check_parameters(self)
        counts = files.class_counts
        # Those that `classes` allows for and no text has would be classes that nothing is like.
        self.classes_ = np.array([name for name in counts if counts[name]])
        self._check_classes(len(files))
        seeds = self._begin()
        training, held_out = self._divide(files, int(seeds.integers(2**31 - 1)))
        lengths = self._learn_words(training, progress)
        self.max_length_ = self._take_length(percentile(lengths, 99.5))
        self.length_counts_ = lengths
        number_of = {name: number for number, name in enumerate(self.classes_.tolist())}
        known = np.array([number_of.get(name, 0) for name in files.classes or ()], dtype=np.int32)
        of_label = training.class_counts
        weights = self._weigh(np.array([of_label[name] for name in self.classes_.tolist()]))
        plan = self._plan(len(training))
        self.model_ = self._build(plan, int(seeds.integers(2**31 - 1)))
        encoder = TextEncoder(self.vocabulary_, self.splitter_)
        shuffling = int(seeds.integers(2**31 - 1))

        def batches(part: ExampleFiles, shuffle: bool) -> "FileBatches":
            dataset = TextDataset(
                part,
                encoder,
                max_length=self.max_length_,
                batch_size=plan.batch,
                shuffle=shuffle,
                seed=shuffling,
            )
            return FileBatches(dataset, known, weights)

        validation = None if held_out is None else batches(held_out, False)
        self._train(plan, batches(training, True), validation)

    def _divide(self, files: ExampleFiles, seed: int) -> tuple[ExampleFiles, ExampleFiles | None]:
        if not self.validation_split:
            return files, None
        training, held_out = files.split(self.validation_split, seed)
        counts = training.class_counts
        if gone := [name for name in self.classes_.tolist() if not counts[name]]:
            raise InvalidArgumentError(
                f"validation_split={self.validation_split} leaves no text of {gone[0]!r} to train "
                "on. Add examples, or hold fewer out."
            )
        return training, held_out

    def _learn_words(self, files: ExampleFiles, progress: Any) -> npt.NDArray[np.int64]:
        """Count words; return how many texts have 0, 1, 2, ... words."""
        merger, lengths, done = Merger(), np.zeros(1, dtype=np.int64), 0
        with progress_of(progress) as told:
            for texts, _ in parts_of(files):
                words = self.splitter_.split_all(texts)
                places = np.arange(done, done + len(words), dtype=np.int64)
                merger.add(WordCounts.of_words(words, 0, places))
                lengths = _sum(lengths, np.bincount(words.lengths))
                done += len(words)
                if told is not None:
                    told(int(files.size * done / len(files)), files.size)
        self.vocabulary_ = merger.result().to_vocabulary(self.max_words, self.min_count)
        self._check_words(len(files))
        return lengths


@dataclass(frozen=True)
class TextEncoder:
    """How a classifier turns texts into ids."""

    vocabulary: Vocabulary
    splitter: Splitter

    def encode(self, texts: list[str], max_length: int, **options: Any) -> EncodedTexts:
        """Ids of texts, int32 (texts, ``max_length``), and how many each has."""
        found = self.vocabulary.encode(texts, self.splitter, max_length, **options)
        # A text without a word is all padding, which not every head can read: one unknown word.
        found.ids[found.ids[:, 0] == 0, 0] = self.vocabulary.unknown_id
        return EncodedTexts(found.ids, np.maximum(found.lengths, 1))


class FileBatches(keras.utils.PyDataset):
    """Batches of a ``TextDataset`` with targets and weights as a classifier's model takes them.

    Args:
        dataset: ids and labels.
        known: the number of the class that each of the dataset's labels is.
        weights: float32 (classes,), of each class.
    """

    def __init__(
        self,
        dataset: TextDataset,
        known: npt.NDArray[np.int32],
        weights: npt.NDArray[np.float32],
    ) -> None:
        super().__init__()
        self._dataset, self._known, self._weights = dataset, known, weights
        self._one_hot = np.eye(len(weights), dtype=np.float32)

    def __len__(self) -> int:
        return len(self._dataset)

    def __getitem__(self, index: int) -> tuple[Any, Any, Any]:
        """Batch number ``index``: ids, one-hot targets and weights."""
        ids, labels, *own = self._dataset[index]
        classes = self._known[labels]
        weights = self._weights[classes]
        return ids, self._one_hot[classes], weights * own[0] if own else weights

    def on_epoch_begin(self) -> None:
        """Tell the dataset."""
        self._dataset.on_epoch_begin()

    def on_epoch_end(self) -> None:
        """Tell the dataset, which goes on to the next epoch."""
        self._dataset.on_epoch_end()


def parts_of(files: ExampleFiles) -> Iterator[tuple[list[str], npt.NDArray[np.int32]]]:
    """All texts and labels, the texts of each part together of about ``PART_CHARACTERS``."""
    texts: list[str] = []
    labels: list[npt.NDArray[np.int32]] = []
    characters = 0
    for block in files.blocks():
        texts += block.texts
        assert block.labels is not None
        labels.append(block.labels)
        characters += sum(map(len, block.texts))
        if characters >= PART_CHARACTERS:
            yield texts, np.concatenate(labels)
            texts, labels, characters = [], [], 0
    if texts:
        yield texts, np.concatenate(labels)


def percentile(counts: npt.NDArray[np.int64], percent: float) -> float:
    """``np.percentile`` of whole numbers of which 0 occurs ``counts[0]`` times, and so on."""
    until = np.cumsum(counts)
    place = (until[-1] - 1) * percent / 100
    below, above = np.searchsorted(until, [np.floor(place), np.ceil(place)], side="right")
    return float(below + (above - below) * (place - np.floor(place)))


def _sum(one: npt.NDArray[np.int64], other: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    total = np.zeros(max(len(one), len(other)), dtype=np.int64)
    total[: len(one)] += one
    total[: len(other)] += other
    return total
