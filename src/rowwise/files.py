"""Writing files so that nothing is lost: a new file replaces the old one only when whole."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path to write to; move it to ``path`` when the block ends well.

    The temporary file has the same name, in a hidden folder beside ``path``, so that writers
    which look at the suffix behave as usual and the move stays within one file system. When the
    block raises, or the process is killed, the file at ``path`` is still the old one.

    Raises:
        FileNotFoundError: the folder of ``path`` does not exist.
    """
    target = Path(path).resolve()  # through a link, to the file itself
    if not target.parent.is_dir():
        raise FileNotFoundError(
            f"Cannot write {str(target)!r}: the folder {str(target.parent)!r} does not exist. "
            "Create it first."
        )
    folder = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent))
    try:
        temporary = folder / target.name
        yield temporary
        with open(temporary, "rb") as written:
            os.fsync(written.fileno())
        os.replace(temporary, target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
