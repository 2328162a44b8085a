import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rowwise.errors import InvalidArgumentError
from rowwise.files import atomic_folder, atomic_path


def test_a_whole_file_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    target = tmp_path / "table.bin"
    target.write_bytes(b"old")
    with atomic_path(target) as temporary:
        assert temporary.name == target.name
        temporary.write_bytes(b"new")
        assert target.read_bytes() == b"old"
    assert target.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["table.bin"]


@pytest.mark.parametrize("atomic", [atomic_path, atomic_folder])
def test_who_may_read_a_file_does_not_depend_on_who_wrote_it(atomic: Any, tmp_path: Path) -> None:
    """safetensors and tempfile write for the user alone."""

    def write() -> int:
        with atomic(tmp_path / "made") as temporary:
            file = temporary if atomic is atomic_path else temporary / "table.bin"
            file.touch(0o600)
        made = tmp_path / "made"
        return (made if atomic is atomic_path else made / "table.bin").stat().st_mode & 0o777

    before = os.umask(0o027)
    try:
        assert write() == 0o640
        for file in tmp_path.rglob("made*"):
            if file.is_file():
                file.chmod(0o600)
        again = write()
    finally:
        os.umask(before)
    assert again == (0o600 if atomic is atomic_path else 0o640)


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "table.bin"
    target.write_bytes(b"old")

    def write_half() -> None:
        with atomic_path(target) as temporary:
            temporary.write_bytes(b"half")
            raise RuntimeError("disk full")

    with pytest.raises(RuntimeError, match="disk full"):
        write_half()
    assert target.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["table.bin"]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(FileNotFoundError, match="does not exist"),
        atomic_path(tmp_path / "nowhere" / "table.bin"),
    ):
        pass


@pytest.mark.parametrize("atomic", [atomic_path, atomic_folder])
def test_something_else_in_the_way_is_named_and_left(atomic: Any, tmp_path: Path) -> None:
    target = tmp_path / "there"
    if atomic is atomic_path:
        target.mkdir()
    else:
        target.write_text("mine")
    with pytest.raises(InvalidArgumentError, match="there': it is a f"), atomic(target):
        pass
    assert os.listdir(tmp_path) == ["there"]


@pytest.mark.parametrize("atomic", [atomic_path, atomic_folder])
def test_a_name_may_be_as_long_as_the_system_allows(atomic: Any, tmp_path: Path) -> None:
    target = tmp_path / ("x" * 255)
    with atomic(target) as temporary:
        if atomic is atomic_path:
            temporary.write_text("new")
        else:
            (temporary / "file").write_text("new")
    assert os.listdir(tmp_path) == [target.name]


def test_killed_in_the_middle_the_old_file_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "table.bin"
    target.write_bytes(b"old")
    code = f"""
from rowwise.files import atomic_path
with atomic_path({str(target)!r}) as temporary:
    file = open(temporary, "wb")
    file.write(b"half")
    file.flush()
    print("writing", flush=True)
    time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"writing\n"
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=30)
    assert target.read_bytes() == b"old"
