"""The public names of a module that stands in for one of Keras's, for ``import *``."""

from collections.abc import Iterable
from types import ModuleType


def public_names(stock: ModuleType, own: Iterable[str] = ()) -> list[str]:
    """The names that ``stock`` shows, and ``own`` ones beside them, sorted."""
    return sorted({name for name in dir(stock) if not name.startswith("_")} - {"src"} | {*own})
