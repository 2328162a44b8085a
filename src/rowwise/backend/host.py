"""Looking at values on the host while a model runs, and carrying an error out to the caller.

A layer sees values only in a plain call. Inside a compiled function it sees tracers, and what a
callback from there raises would leave Keras's JAX trainer without its variables, so the error
is collected, and the model raises it when the compiled function has ended.
"""

import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any, Protocol, cast

import keras
import numpy as np
import numpy.typing as npt

from rowwise.errors import RowwiseError

Check = Callable[[npt.NDArray[Any]], None]


class _Framework(Protocol):
    """What a backend's module provides."""

    def call_host(self, flag: Any, values: Any, function: Check) -> None:
        """Call ``function`` with the values as a NumPy array when ``flag`` comes out true."""

    def wait_for_host(self) -> None:
        """Return when all calls that compiled functions made to the host have ended."""


_MODULES = {
    "jax": "rowwise.backend._jax",
    "tensorflow": "rowwise.backend._tensorflow",
    "torch": "rowwise.backend._torch",
}
_framework = cast(
    _Framework, import_module(_MODULES.get(keras.backend.backend(), "rowwise.backend._eager"))
)


@dataclass(eq=False)
class _Collection:
    """Errors of one run of one owner."""

    owner: int
    errors: list[RowwiseError]


# All that run now, in whatever thread: a compiled function calls the host from another one. It
# carries the owner under whom it was traced, so that models in several threads keep apart.
_running: list[_Collection] = []
_of_thread = threading.local()
_suspended = 0


def check_on_host(flag: Any, values: Any, check: Check) -> None:
    """Run ``check`` on ``values`` where the scalar ``flag`` is true.

    In a plain call, what ``check`` raises is raised here. Inside a compiled function it is
    collected for ``collect_errors``; where nobody collects, it becomes a warning.

    Args:
        flag: boolean scalar tensor.
        values: tensor to look at.
        check: gets ``values`` as a NumPy array; raises a RowwiseError when they are wrong.
    """
    if not _suspended:
        _framework.call_host(flag, values, partial(_collecting, check, _owner()))


def check_array(values: npt.NDArray[Any], check: Check) -> None:
    """As ``check_on_host``, for an array that a layer was given as it is."""
    raise_or_collect(partial(_collecting, check, _owner()), values)


def _owner() -> int | None:
    """Whose compiled functions this thread is tracing or running, if anyone's."""
    owners = getattr(_of_thread, "owners", [])
    return owners[-1] if owners else None


def _collecting(check: Check, owner: int | None, values: npt.NDArray[Any]) -> None:
    """Run ``check``; the owner's runs get what it raises before Keras rewrites it."""
    try:
        check(np.asarray(values))
    except RowwiseError as error:
        runs = [run for run in _running if run.owner == owner]
        for run in runs:
            run.errors.append(error)
        error.collected = bool(runs)
        raise


def report(check: Check, values: npt.NDArray[Any]) -> None:
    """Run ``check`` in a compiled function that nothing may be raised from; warn or collect."""
    try:
        check(values)
    except RowwiseError as error:
        if not error.collected:
            warnings.warn(f"{error}", RuntimeWarning, stacklevel=2)


def raise_or_collect(check: Check, values: npt.NDArray[Any]) -> None:
    """Run ``check`` outside of compiled functions; raise unless a model collects."""
    try:
        check(values)
    except RowwiseError as error:
        if not error.collected:
            raise


@contextmanager
def collect_errors(owner: object) -> Iterator[list[RowwiseError]]:
    """Collect what checks in compiled functions of ``owner`` find; complete after the block.

    Functions that are compiled inside such a block belong to the owner of the innermost one.
    """
    run = _Collection(id(owner), [])
    _of_thread.owners = [*getattr(_of_thread, "owners", []), run.owner]
    _running.append(run)
    try:
        yield run.errors
        _framework.wait_for_host()
    finally:
        _running.remove(run)
        _of_thread.owners = _of_thread.owners[:-1]


@contextmanager
def without_checks() -> Iterator[None]:
    """Trace functions without checks: an exported function has no host to call."""
    global _suspended
    _suspended += 1
    try:
        yield
    finally:
        _suspended -= 1
