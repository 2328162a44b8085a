"""Every error that rowwise raises on purpose, in one tree.

::

    RowwiseError
    ├── InvalidArgumentError (ValueError)    an argument has a value that makes no sense
    │   ├── InvalidTextError (TypeError)     something among the texts is not a text
    │   ├── InvalidIdError                   an id has no row in the table
    │   └── InvalidShapeError                an array has the wrong shape
    ├── UnknownWordError (KeyError)          a word that vectors or vocabulary do not hold
    ├── DataFileError (ValueError)           a file does not hold what was expected of it
    ├── WorkerError (RuntimeError)           another process that works on a part ended
    ├── MissingExtraError (ImportError)      an optional package is not installed
    └── BackendError (ImportError)           no Keras backend can be used

Catch ``RowwiseError`` to catch them all. Each also derives from the built-in exception that
fits, so code written for Keras or NumPy keeps catching what it expects. A message says what
was expected, what came, and what to do about it.
"""

from typing import Any


class RowwiseError(Exception):
    """Base of all errors that rowwise raises on purpose.

    Attributes:
        collected: whether a model whose compiled function met the error will raise it.
    """

    collected: bool = False


class InvalidArgumentError(RowwiseError, ValueError):
    """An argument has a value that makes no sense."""


class InvalidTextError(InvalidArgumentError, TypeError):
    """Something among the texts is not a text; the message names its position."""


class InvalidIdError(InvalidArgumentError):
    """An id has no row in the table; the message names the layer, the id and its position.

    Attributes:
        worst: the id that is farthest from the valid ones.
        position: where it stood in the array of ids, one index per axis.
        is_located: whether the message says where in the data it stands, where that is known.
    """

    worst: Any = None
    position: tuple[int, ...] = ()
    is_located: bool = False


class InvalidShapeError(InvalidArgumentError):
    """An array has the wrong shape."""


class UnknownWordError(RowwiseError, KeyError):
    """A word that the vectors or the vocabulary do not hold."""

    def __str__(self) -> str:
        # KeyError shows its argument's repr, which would put quotes around a whole sentence.
        return str(self.args[0]) if self.args else ""


class DataFileError(RowwiseError, ValueError):
    """A file does not hold what was expected of it."""


class WorkerError(RowwiseError, RuntimeError):
    """A process that worked on a part ended before it was done.

    One that is started for a part is started again; the error comes when that fails again and
    again. One of those that train together is not: the others end with this error.
    """


class MissingExtraError(RowwiseError, ImportError):
    """A package is not installed that an optional part of rowwise needs."""

    def __init__(self, what: str, package: str, extra: str) -> None:
        super().__init__(
            f"{what} needs the package {package}, which is not installed. "
            f'Install it with: pip install "rowwise[{extra}]"'
        )


class BackendError(RowwiseError, ImportError):
    """No Keras backend can be used."""
