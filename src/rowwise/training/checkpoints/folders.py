"""The folders of checkpoints: ``step-000001500``, there only when whole."""

import re
import shutil
from pathlib import Path

from rowwise.errors import DataFileError
from rowwise.training.checkpoints.manifest import read_manifest

_NAME = re.compile(r"step-(\d{9,})|\.step-(\d{9,})\.old")


def name_of(step: int) -> str:
    """The name of the folder for ``step``."""
    return f"step-{step:09d}"


def temporary_of(target: Path) -> Path:
    """Where a checkpoint is written, before it is at ``target``."""
    return target.with_name(f".{target.name}.tmp")


def old_of(target: Path) -> Path:
    """Where the checkpoint at ``target`` is for as long as another one takes its place."""
    return target.with_name(f".{target.name}.old")


def checkpoints_in(folder: Path) -> dict[int, Path]:
    """The checkpoints in ``folder`` by their steps, the newest last; what is not whole is not."""
    found: dict[int, Path] = {}
    for path in sorted(folder.iterdir(), reverse=True) if folder.is_dir() else []:
        match = _NAME.fullmatch(path.name)
        if match is None:
            continue
        step = int(match[1] or match[2])
        try:
            read_manifest(path)
        except DataFileError:
            continue
        found.setdefault(step, path)  # an old one only where nothing has taken its place
    return {step: found[step] for step in sorted(found)}


def clear_unfinished(folder: Path) -> None:
    """Remove what processes that ended have left half written in ``folder``."""
    for path in folder.glob(".step-*.tmp"):
        shutil.rmtree(path, ignore_errors=True)
