"""Where a layer looks up rows while a model trains row-wise.

Outside of training an embedding layer reads its table. In a training step it must not: the step
takes the rows that a batch needs, brings them up to date and differentiates them instead of the
table. So the step opens a ``LookupTape``, and layers ask it first.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol


class LookupTape(Protocol):
    """What a training step hands to the layers that look up rows."""

    def takes(self, variable: Any) -> bool:
        """Whether lookups in the table ``variable`` are this tape's."""

    def rows(self, variable: Any, ids: Any) -> Any:
        """Rows for int32 ``ids`` of any shape: shape ``ids.shape + (columns,)``."""

    def reduced(self, variable: Any, ids: Any, weights: Any) -> Any:
        """Sums of rows: for ids and weights (..., length), shape (..., columns)."""

    def notes(self, layer: Any) -> bool:
        """Whether ids of ``layer`` without a row are to be noted."""

    def note_invalid(self, layer: Any, ids: Any, wrong: Any) -> bool:
        """Remember that ids (any shape and dtype) have no row where ``wrong`` is true.

        False where it is known already that all have one.
        """


_of_thread = threading.local()


def current_tape() -> LookupTape | None:
    """The tape of the training step that is being traced in this thread, or None."""
    return getattr(_of_thread, "tape", None)


@contextmanager
def recording(tape: LookupTape) -> Iterator[None]:
    """Let layers ask ``tape`` inside the block."""
    before = current_tape()
    _of_thread.tape = tape
    try:
        yield
    finally:
        _of_thread.tape = before
