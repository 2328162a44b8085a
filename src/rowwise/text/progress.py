"""A bar that shows how much of a file, or of files, has been read."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rowwise.errors import InvalidArgumentError

Progress = Callable[[int, int | None], None]
"""Called with the bytes read so far and the size of what is read, None when it is not known."""


@contextmanager
def progress_of(progress: Any) -> Iterator[Progress | None]:
    """What is to be called with the bytes read and the size of the file.

    Args:
        progress: None or False for nothing, True for a bar on standard error, or a function.

    Raises:
        InvalidArgumentError: something else.
    """
    if progress is None or progress is False:
        yield None
    elif callable(progress):
        yield progress
    elif progress is True:
        from rich import progress as shown
        from rich.console import Console

        columns = (
            shown.BarColumn(bar_width=None),
            shown.DownloadColumn(),
            shown.TimeRemainingColumn(),
        )
        with shown.Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("", total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)
    else:
        raise InvalidArgumentError(
            f"`progress` must be True, False or a function of two numbers. Received: {progress!r}."
        )
