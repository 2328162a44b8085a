"""Where the parts of arrays are, on devices and in processes, behind one contract.

For reading and writing arrays that no process has as a whole.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol, cast

import keras
import numpy.typing as npt

Read = Callable[[tuple[int, ...], tuple[int, ...]], npt.NDArray[Any]]
"""Gives the part of an array that starts at these indices and has this shape."""


@dataclass(frozen=True)
class Part:
    """A part of an array, which one process has to write."""

    start: tuple[int, ...]
    """Its first index in each dimension."""
    shape: tuple[int, ...]
    values: npt.NDArray[Any] | None
    """None in the other processes."""


class Places(Protocol):
    """What a backend's module provides."""

    def process(self) -> tuple[int, int]:
        """The number of this process, from 0, and how many there are."""

    def wait_for_all(self, name: str) -> None:
        """Wait until all processes have come here; with the same ``name`` in all."""

    def parts_of(self, value: Any) -> list[Part]:
        """The parts that make up an array: each number once, in the same order in all processes."""

    def assign(self, variable: Any, read: Read) -> None:
        """Give a variable of Keras's what ``read`` gives, of which only what is here is read."""


_module = "_jax_places" if keras.backend.backend() == "jax" else "_whole_places"
places = cast(Places, import_module(f"rowwise.backend.{_module}"))
