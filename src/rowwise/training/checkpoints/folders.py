"""The folders of checkpoints: ``step-000001500``, there only when whole."""

import re
from pathlib import Path

from rowwise.training.checkpoints.manifest import FILE

_NAME = re.compile(r"step-(\d{9,})")


def name_of(step: int) -> str:
    """The name of the folder for ``step``."""
    return f"step-{step:09d}"


def checkpoints_in(folder: Path) -> list[Path]:
    """The checkpoints in ``folder``, the newest last; those that were not finished are not."""
    if not folder.is_dir():
        return []
    found = {}
    for path in folder.iterdir():
        match = _NAME.fullmatch(path.name)
        if match and (path / FILE).is_file():
            found[int(match[1])] = path
    return [found[step] for step in sorted(found)]
