"""``TextDataset``: batches of texts as ids, out of files larger than memory."""

import math
import warnings
from collections.abc import Iterable
from typing import Any

from rowwise.backend import keras
from rowwise.datasets.encoding import encoder_of
from rowwise.errors import InvalidArgumentError
from rowwise.text import ExampleFiles, Splitter, Tokenizer, Vocabulary
from rowwise.text.checks import Paths, require_side
from rowwise.text.indexed.order import Order
from rowwise.text.indexed.windows import (
    Batch,
    Encoder,
    Padding,
    Window,
    WindowStore,
    window_of,
)

# Batches in a row, each far from the last one, after which it is said that this is slow.
_JUMPS = 8


class TextDataset(keras.utils.PyDataset):
    """Batches of labelled texts as ids, for ``fit``, out of files larger than memory.

    The files are read once to find the examples, see ``ExampleFiles``, and then window by window:
    a window has blocks of half a megabyte from all over the files, in another choice each epoch,
    and its examples in random order. Memory is that of some windows, whatever the files' size.

    A batch depends on the files, the arguments and the epoch alone, whoever asks for it and in
    which order. So the same seed gives the same batches on all machines, to threads and to
    processes that have a pickled copy; and training can be resumed, see ``ResumeDataset``.

    Give it to ``fit`` with ``shuffle=False``: it is shuffled already, and Keras would ask for
    batches from all windows in turn.

    A batch is ``(ids, labels)``, or ``(ids, labels, weights)`` with a column of weights, or
    ``(ids,)`` without labels: int32 ``(batch, max_length)``, padded with 0; int32 ``(batch,)``,
    places in ``classes``, as ``sparse_categorical_crossentropy`` takes them; float32
    ``(batch,)``.

    Args:
        files: ``ExampleFiles``, or one path or many.
        tokenizer: a fitted ``Tokenizer`` or a ``Vocabulary``, or any object with their method
            ``encode``.
        text: the column of texts; this and the next four as for ``ExampleFiles``, and only if
            ``files`` are paths.
        label: the column of labels, or None.
        weight: the column of weights, or None.
        format: of all files.
        classes: the labels that there may be; for test files those of the training files.
        max_length: ids of a text, the columns of a batch.
        batch_size: texts of a batch; the last one may have fewer.
        shuffle: whether to shuffle; otherwise the order is that of the files.
        seed: of the shuffling.
        window_bytes: how much text is shuffled together. Three windows, or two more than
            ``workers``, are in memory, as ids of four bytes a word.
        splitter: cuts texts into words for a ``Vocabulary``.
        padding: "pre" or "post", the side at which zeros are added.
        truncating: "pre" or "post", the side at which a longer text is cut.
        workers: threads that read and encode the windows to come while the model trains; 0: they
            are read when they are needed. These are not the workers of a ``PyDataset``, from
            which Keras takes some batches twice in the first epoch.
        progress: as in ``Vectors.load``, for the first pass over the files.

    Attributes:
        files: the ``ExampleFiles``.
        classes: the labels, strings, by the numbers that they have in a batch; None without.
        epoch: the epoch whose batches are given, from 0.

    Raises:
        DataFileError: as ``ExampleFiles``.
        InvalidArgumentError: an argument has a value that makes no sense.
    """

    def __init__(
        self,
        files: ExampleFiles | Paths,
        tokenizer: Tokenizer | Vocabulary | Encoder,
        *,
        text: str | None = None,
        label: str | None = None,
        weight: str | None = None,
        format: str | None = None,
        classes: Iterable[str] | None = None,
        max_length: int,
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int = 0,
        window_bytes: int = 1 << 26,
        splitter: Splitter | None = None,
        padding: str = "post",
        truncating: str = "post",
        workers: int = 1,
        progress: Any = None,
    ) -> None:
        super().__init__()
        numbers = {"max_length": max_length, "batch_size": batch_size, "window_bytes": window_bytes}
        for name, value in numbers.items():
            _require_whole(name, value, 1)
        _require_whole("workers", workers, 0)
        _require_whole("seed", seed, 0)
        require_side("padding", padding)
        require_side("truncating", truncating)
        encoder = encoder_of(tokenizer, splitter)
        columns: dict[str, Any] = {"text": text, "label": label, "weight": weight}
        columns |= {"format": format, "classes": classes}
        self.files = _files(files, columns, progress)
        self._options: dict[str, Any] = {
            "max_length": max_length,
            "batch_size": batch_size,
            "seed": seed,
            "window_bytes": window_bytes,
            "padding": padding,
            "truncating": truncating,
            "workers": workers,
        }
        self._encoder, self._batch_size = encoder, batch_size
        self._padding = Padding(max_length, padding, truncating)
        blocks = self.files.blocks_in(window_bytes)
        self._order = Order(self.files.block_counts, blocks, seed if shuffle else None)
        self._readers = workers
        self._store = WindowStore(self._window, workers)
        self._steps = math.ceil(len(self.files) / batch_size)
        self.epoch = 0
        self._first = 0
        self._is_over = False
        self._last_window, self._jumps = 0, 0

    @property
    def classes(self) -> tuple[str, ...] | None:
        """The labels, by the numbers that they have in a batch; None without labels."""
        return self.files.classes

    @property
    def steps_per_epoch(self) -> int:
        """Batches of a whole epoch."""
        return self._steps

    def __len__(self) -> int:
        """Batches of the epoch, or of what is left of it after ``resume``."""
        return self._steps - self._first

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        """Batch number ``index`` of the epoch, counted from where it was resumed.

        Raises:
            IndexError: there is no such batch.
            DataFileError: a file has changed since the dataset was made.
        """
        step = index + self._first
        if not self._first <= step < self._steps:
            raise IndexError(f"There are {len(self)} batches. Received: {index}")
        first = step * self._batch_size
        last = min(first + self._batch_size, len(self.files))
        order = self._order.epoch(self.epoch)
        parts = []
        for number in order.windows_of(first, last):
            self._note_jumps(number, len(order.windows))
            later = ((self.epoch, next) for next in range(number + 1, len(order.windows)))
            window = self._store.get((self.epoch, number), later)
            begin, end = order.begins[number], order.begins[number + 1]
            parts.append(window.take(max(first - begin, 0), min(last, end) - begin, self._padding))
        if step == self._steps - 1:
            self._is_over = True
        return _as_keras_takes_it(Batch.joined(parts))

    def resume(self, step: int, epoch: int = 0) -> None:
        """Go on after so many steps: the next batches are those that come after them.

        What is left of the epoch then is an epoch for ``len`` and ``on_epoch_end``. In ``fit`` use
        the callback ``ResumeDataset``: Keras asks for the number of batches only once.

        Args:
            step: steps since ``epoch`` began; more than an epoch has lead into later ones.
            epoch: from 0.

        Raises:
            InvalidArgumentError: one of them is no whole number of at least 0.
        """
        _require_whole("step", step, 0)
        _require_whole("epoch", epoch, 0)
        later, self._first = divmod(int(step), self._steps)
        self.epoch = int(epoch) + later
        self._is_over = False

    def on_epoch_begin(self) -> None:
        """Keras calls this; it may look at a first batch and begin anew."""
        self._is_over = False

    def on_epoch_end(self) -> None:
        """Go on to the next epoch, if this one's last batch was asked for."""
        # Keras calls this once before it begins, too.
        if self._is_over:
            self.epoch, self._first, self._is_over = self.epoch + 1, 0, False

    def split(self, share: float, seed: int = 0) -> tuple["TextDataset", "TextDataset"]:
        """Hold examples out, for validation: of each label as near to ``share`` as can be.

        Args:
            share: of the examples, more than 0 and less than 1.
            seed: chooses them.

        Returns:
            a dataset of the others, and one of those held out, which is not shuffled.

        Raises:
            InvalidArgumentError: another ``share``, or one of the two would be empty.
        """
        rest, held = self.files.split(share, seed)
        shuffle = self._order.seed is not None
        return (
            TextDataset(rest, self._encoder, shuffle=shuffle, **self._options),
            TextDataset(held, self._encoder, shuffle=False, **self._options),
        )

    def _window(self, key: tuple[int, int]) -> Window:
        epoch, number = key
        order = self._order.epoch(epoch)
        size = int(order.begins[number + 1] - order.begins[number])
        within = self._order.within(epoch, number, size)
        blocks = self.files.read(order.windows[number].tolist())
        return window_of(blocks, within, self._encoder, self._padding)

    def _note_jumps(self, window: int, windows: int) -> None:
        is_far = abs(window - self._last_window) > 1 and windows > self._readers + 2
        self._jumps, self._last_window = self._jumps + 1 if is_far else 0, window
        if self._jumps == _JUMPS:
            warnings.warn(
                "Batches are asked for in random order, and each needs another window of the "
                "files, which is slow. A TextDataset is shuffled already: give shuffle=False to "
                "`fit`.",
                stacklevel=3,
            )

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_store"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._store = WindowStore(self._window, self._readers)

    def __repr__(self) -> str:
        return f"<TextDataset: {self._steps:,} batches of {self._batch_size}, {self.files!r}>"


def _files(files: Any, columns: dict[str, Any], progress: Any) -> ExampleFiles:
    if isinstance(files, ExampleFiles):
        if given := [name for name, value in columns.items() if value is not None]:
            raise InvalidArgumentError(
                f"`{given[0]}` goes with paths; these ExampleFiles have their columns already. "
                "Leave it out."
            )
    elif columns["text"] is None:
        raise InvalidArgumentError("The column of texts must be named: give `text`.")
    else:
        files = ExampleFiles(files, progress=progress, **columns)
    if files.has_weights and files.classes is None:
        raise InvalidArgumentError(
            "Keras weighs examples by their labels: give `label`, too, or leave out `weight`."
        )
    found: ExampleFiles = files
    return found


def _as_keras_takes_it(batch: Batch) -> tuple[Any, ...]:
    return tuple(part for part in batch if part is not None)


def _require_whole(name: str, value: Any, least: int) -> None:
    if isinstance(value, bool) or not hasattr(value, "__index__") or value < least:
        raise InvalidArgumentError(
            f"`{name}` must be a whole number of at least {least}. Received: {value!r}"
        )
