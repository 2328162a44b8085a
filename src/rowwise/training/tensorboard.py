"""``TensorBoard``: Keras's callback, which also writes where TensorFlow is not installed.

Keras writes TensorBoard's files by ``tensorflow.summary``, on every backend. The package
tensorboard has a writer of its own for numbers, and numbers are what the callback writes unless it
is asked for more. What stands in for ``tensorflow.summary`` here has the functions of it that
numbers need.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from rowwise.backend import keras
from rowwise.backend.choice import installed_backends
from rowwise.errors import MissingExtraError


class TensorBoard(keras.callbacks.TensorBoard):
    """Writes losses, metrics and learning rate for TensorBoard; see Keras's callback.

    Without TensorFlow it writes numbers only, and ``write_graph`` is False by default.

    Args:
        log_dir: folder of the files.
        histogram_freq: as in Keras; needs TensorFlow unless 0.
        write_graph: whether to write the graph of the model, which needs TensorFlow; None where
            that is installed.
        write_images: as in Keras; needs TensorFlow unless False.
        **kwargs: as in Keras: ``update_freq``, ``write_steps_per_second`` and so on.

    Raises:
        MissingExtraError: something is asked for that TensorFlow writes, and it is not installed;
            or tensorboard is not.
    """

    def __init__(
        self,
        log_dir: Any = "logs",
        histogram_freq: int = 0,
        write_graph: bool | None = None,
        write_images: bool = False,
        **kwargs: Any,
    ) -> None:
        self._numbers_only = "tensorflow" not in installed_backends()
        if self._numbers_only:
            asked = {
                "histogram_freq": histogram_freq,
                "write_graph": write_graph,
                "write_images": write_images,
                "profile_batch": kwargs.get("profile_batch"),
                "embeddings_freq": kwargs.get("embeddings_freq"),
            }
            for name, value in asked.items():
                if value:
                    raise MissingExtraError(
                        f"TensorBoard({name}={value!r})", "tensorflow", "tensorflow"
                    )
        graph = not self._numbers_only if write_graph is None else write_graph
        super().__init__(log_dir, histogram_freq, graph, write_images, **kwargs)
        self._numbers = _Numbers()

    @property
    def summary(self) -> Any:
        """What writes: ``tensorflow.summary``, or what stands in for it."""
        return self._numbers if self._numbers_only else super().summary


class _Numbers:
    """``create_file_writer``, ``record_if`` and ``scalar`` of ``tensorflow.summary``."""

    def __init__(self) -> None:
        self._writers: list[_Writer] = []
        self._conditions: list[Callable[[], bool]] = []

    def create_file_writer(self, folder: str) -> "_Writer":
        return _Writer(folder, self._writers)

    @contextmanager
    def record_if(self, condition: Callable[[], bool]) -> Iterator[None]:
        self._conditions.append(condition)
        try:
            yield
        finally:
            self._conditions.pop()

    def scalar(self, name: str, value: Any, step: Any) -> None:
        """Write a number with the writer of the innermost block, if there is one."""
        if self._writers and all(condition() for condition in self._conditions):
            self._writers[-1].add(name, value, step)


class _Writer:
    """One file of numbers."""

    def __init__(self, folder: str, active: list["_Writer"]) -> None:
        try:
            from tensorboard.summary import Writer
        except ImportError as error:
            # TensorFlow brings it along.
            raise MissingExtraError("TensorBoard", "tensorboard", "tensorflow") from error
        self._writer = Writer(folder)
        self._active = active

    @contextmanager
    def as_default(self, step: Any = None) -> Iterator[None]:
        """Write here within the block."""
        del step  # which every number has of its own
        self._active.append(self)
        try:
            yield
        finally:
            self._active.remove(self)

    def add(self, name: str, value: Any, step: Any) -> None:
        number, place = (keras.ops.convert_to_numpy(one) for one in (value, step))
        self._writer.add_scalar(name, np.float32(number), int(place))
        self._writer.flush()  # so that it is seen while training goes on

    def flush(self) -> None:
        self._writer.flush()

    def close(self) -> None:
        self._writer.close()
