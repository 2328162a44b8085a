"""The program in processes of its own: start, pipes, an installed wheel."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).resolve().parents[2]


def start(*arguments, **options):
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, **options)


def test_version_and_help():
    done = start("-m", "rowwise", "--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("rowwise, version 0.")
    done = start("-m", "rowwise", "-h")
    assert (done.returncode, done.stderr) == (0, "")
    commands = done.stdout.split("Commands:")[1].split("\n")
    names = [line.split()[0] for line in commands if line.strip()]
    assert names == [
        "analogy",
        "benchmark",
        "convert",
        "demo",
        "doctor",
        "evaluate",
        "export",
        "info",
        "map",
        "neighbors",
        "predict",
        "serve",
        "train",
    ]


def test_neighbors_loads_no_framework(trained):
    script = (
        "import sys\nfrom rowwise.cli import main\n"
        f"try:\n    main(['neighbors', {str(trained.folder)!r}, 'great', '--json'])\n"
        "except SystemExit as ended:\n    assert not ended.code\n"
        "assert not {'keras', 'jax', 'tensorflow', 'torch', 'sklearn'} & set(sys.modules)"
    )
    done = start("-c", script)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(json.loads(done.stdout)["neighbors"]) == 10


@pytest.mark.parametrize("command", [["--help"], ["neighbors", "{model}", "great"]])
def test_a_reader_that_goes_away(trained, command):
    reading, writing = os.pipe()
    os.close(reading)
    arguments = [part.format(model=trained.folder) for part in command]
    with os.fdopen(writing, "w") as pipe:
        done = subprocess.run(
            [sys.executable, "-m", "rowwise", *arguments], stdout=pipe, stderr=subprocess.PIPE
        )
    assert (done.returncode, done.stderr) == (1, b"")


def without(packages, *arguments, **environment):
    """Run a command as if none of ``packages`` were installed."""
    script = (
        "import importlib.util\nfind = importlib.util.find_spec\n"
        f"importlib.util.find_spec = lambda name, *more: "
        f"None if name in {packages!r} else find(name, *more)\n"
        f"from rowwise.cli import main\nmain({list(map(str, arguments))!r})"
    )
    return start("-c", script, env={**os.environ, **environment})


BACKENDS = ["jax", "tensorflow", "torch"]


@pytest.mark.parametrize(
    ("packages", "backend", "command", "expected"),
    [
        (["torch"], "torch", ["predict", "{model}", "hello"], 'pip install "rowwise[torch]"'),
        (BACKENDS, "", ["predict", "{model}", "hello"], 'pip install "rowwise[jax]"'),
        (["matplotlib"], "", ["demo", "-o", "{model}/new"], 'pip install "rowwise[plot]"'),
    ],
)
def test_a_package_that_is_missing(trained, tmp_path, packages, backend, command, expected):
    arguments = [part.format(model=trained.folder) for part in command]
    done = without(packages, *arguments, KERAS_BACKEND=backend, KERAS_HOME=str(tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("Error: ")
    assert expected in line


def test_doctor_without_a_backend(tmp_path):
    done = without(BACKENDS, "doctor", "--json", KERAS_BACKEND="", KERAS_HOME=str(tmp_path))
    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert report["backend"] is None
    assert 'pip install "rowwise[jax]"' in report["reason"]


def test_output_that_the_terminal_cannot_show(tmp_path):
    (tmp_path / "v.txt").write_text("a 1 2\n车 1 2\n", encoding="utf-8")
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    done = start("-m", "rowwise", "neighbors", tmp_path / "v.txt", "a", env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("\\u8f66")


def test_demo_from_an_installed_wheel(tmp_path):
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    where = start("-c", "import rowwise; print(rowwise.__file__)", cwd=tmp_path, env=environment)
    assert where.stdout.startswith(str(tmp_path / "site"))
    done = start("-m", "rowwise", "demo", cwd=tmp_path, env=environment)
    assert done.returncode == 0
    assert (tmp_path / "demo" / "model.keras").is_file()
    lines = done.stdout.splitlines()
    assert lines[0] == "480 short reviews, written for rowwise."
    assert [line for line in lines if line.startswith("Accuracy on 96 other texts: ")]
    nearest = lines[lines.index("Words that tell most, and the words nearest to them:") + 1 : -1]
    assert len(nearest) == 6
    assert lines[-1].startswith("Try: ")
    hint = lines[-1].removeprefix("Try: ")
    pasted = subprocess.run(
        hint, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert (pasted.returncode, pasted.stderr) == (0, "")
    assert pasted.stdout.endswith("The soup was cold and the waiter rude.\n")
