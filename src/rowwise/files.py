"""Writing files so that nothing is lost: a new file replaces the old one only when whole."""

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rowwise.errors import InvalidArgumentError


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path to write to; move it to ``path`` when the block ends well.

    The temporary file has the same name, in a hidden folder beside ``path``, so that writers
    which look at the suffix behave as usual and the move stays within one file system. When the
    block raises, or the process is killed, the file at ``path`` is still the old one. Who may read
    it stays the same; a new file is as any that is opened for writing.

    Raises:
        FileNotFoundError: the folder of ``path`` does not exist.
        InvalidArgumentError: ``path`` is a folder.
    """
    target = Path(path).resolve()  # through a link, to the file itself
    if target.is_dir():
        raise InvalidArgumentError(
            f"Cannot write {str(target)!r}: it is a folder, and this would be a file. Name a file."
        )
    with _folder_beside(target) as folder:
        temporary = folder / target.name
        yield temporary
        with open(temporary, "rb") as written:
            os.fsync(written.fileno())
        _share_as_usual(temporary, target)
        os.replace(temporary, target)


@contextmanager
def atomic_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary folder to write to; it becomes ``path`` when the block ends well.

    Where there is a folder at ``path`` already, its files are replaced one by one, and those of
    other names stay.

    Raises:
        FileNotFoundError: the folder that ``path`` is to stand in does not exist.
        InvalidArgumentError: ``path`` is a file.
    """
    target = Path(path).resolve()
    if target.exists() and not target.is_dir():
        raise InvalidArgumentError(
            f"Cannot write {str(target)!r}: it is a file, and this would be a folder. Name a "
            "folder."
        )
    with _folder_beside(target) as folder:
        folder.chmod(0o755)
        yield folder
        for file in list(folder.iterdir()):
            if file.is_file():
                _share_as_usual(file, target / file.name)
        if target.exists():
            for file in sorted(folder.iterdir()):
                os.replace(file, target / file.name)
        else:
            os.replace(folder, target)


def check_folder_of(target: Path) -> None:
    """Raise a FileNotFoundError where there is no folder to write ``target`` to."""
    if not target.parent.is_dir():
        raise FileNotFoundError(
            f"Cannot write {str(target)!r}: the folder {str(target.parent)!r} does not exist. "
            "Create it first."
        )


def _share_as_usual(file: Path, target: Path) -> None:
    """Let those read a file who could before; some libraries write for the user alone."""
    if target.exists():
        mode = target.stat().st_mode
    else:
        example = file.with_name(".mode")
        example.touch()
        mode = example.stat().st_mode
        example.unlink()
    if file.stat().st_mode != mode:  # some file systems know no modes, and take none
        file.chmod(stat.S_IMODE(mode))


@contextmanager
def _folder_beside(target: Path) -> Iterator[Path]:
    """A hidden temporary folder beside ``target``, which is gone afterwards."""
    check_folder_of(target)
    prefix = f".{target.name[:64]}."  # a name may be as long as the system allows
    folder = Path(tempfile.mkdtemp(prefix=prefix, suffix=".tmp", dir=target.parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
