"""The house: imports only go down, in no circle, and nothing heavy is loaded before it is used."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src"

# Each room may import those that stand before it. `rowwise` itself, `rowwise.__main__` and the
# packaged data stand apart.
ROOMS = (
    "errors",
    "files",
    "text",
    "vectors",
    "viz",
    "backend",
    "datasets",
    "layers",
    "training",
    "classify",
    "export",
    "serve",
    "keras",
    "cli",
)
APART = {"", "__main__", "data"}
FRAMEWORKS = {"jax", "jaxlib", "tensorflow", "torch", "keras"}
HEAVY = {*FRAMEWORKS, "numpy", "pyarrow", "sklearn", "matplotlib", "h5py", "safetensors", "rich"}


class Import(NamedTuple):
    """One import: who, of what, in which line, and whether merely importing the module runs it."""

    importer: str
    target: str
    line: int
    at_once: bool

    def __str__(self) -> str:
        return f"{self.importer}:{self.line} imports {self.target}"


def module_name(path: Path) -> str:
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted((SOURCE / "rowwise").rglob("*.py"))}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in MODULES.items()}


def nodes(tree: ast.AST, at_once: bool = True) -> Iterator[tuple[ast.AST, bool]]:
    """Every node, and whether it runs when the module is imported."""
    for child in ast.iter_child_nodes(tree):
        yield child, at_once
        typing_only = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
        later = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        yield from nodes(child, at_once and not typing_only and not later)


def imports_of(importer: str, tree: ast.AST) -> Iterator[Import]:
    for node, at_once in nodes(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(importer, alias.name, node.lineno, at_once)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{importer}:{node.lineno}: imports are absolute"
            for alias in node.names:
                # `from package import module` is of the module, `from module import name` of it.
                module = f"{node.module}.{alias.name}"
                target = module if module in MODULES else str(node.module)
                if target == "rowwise" and not alias.name.startswith("__"):
                    target = module  # a public name: whatever it loads, it is no way round
                yield Import(importer, target, node.lineno, at_once)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            named = [argument for argument in node.args[:1] if isinstance(argument, ast.Constant)]
            for argument in named:
                yield Import(importer, str(argument.value), node.lineno, at_once)


IMPORTS = [found for name, tree in TREES.items() for found in imports_of(name, tree)]


def room(module: str) -> str:
    return [*module.split("."), ""][1]


def is_of(target: str, package: str) -> bool:
    return target == package or target.startswith(f"{package}.")


def test_the_walk_sees_every_kind_of_import():
    source = """
import keras.ops
from rowwise.text import Vocabulary
from rowwise.text import words
from rowwise import Tokenizer, __version__
if TYPE_CHECKING:
    import a
def f():
    import b
    import_module("c")
class K:
    import d
try:
    import e
except ImportError:
    pass
"""
    found = {(i.target, i.at_once) for i in imports_of("x", ast.parse(source))}
    assert found == {
        ("keras.ops", True),
        ("rowwise.text", True),
        ("rowwise.text.words", True),
        ("rowwise.Tokenizer", True),
        ("rowwise", True),
        ("a", False),
        ("b", False),
        ("c", False),
        ("d", True),
        ("e", True),
    }
    assert len(IMPORTS) > 200


def test_every_module_stands_in_a_known_room():
    assert {room(name) for name in MODULES} <= {*ROOMS, *APART}


def test_imports_only_go_down():
    upward = []
    for found in IMPORTS:
        if not is_of(found.target, "rowwise") or room(found.importer) in APART:
            continue
        if found.target == "rowwise":
            continue
        here, there = room(found.importer), room(found.target)
        if there not in ROOMS or ROOMS.index(there) > ROOMS.index(here):
            upward.append(str(found))
    assert not upward


def test_no_module_imports_itself_in_a_circle():
    graph: dict[str, set[str]] = {name: set() for name in MODULES}
    for found in IMPORTS:
        if found.at_once and found.target in MODULES:
            graph[found.importer].add(found.target)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" <- ".join(error.args[1]))


def test_only_the_backend_imports_frameworks():
    # Keras too: the backend has to be chosen before it is first imported.
    found = [
        str(found)
        for found in IMPORTS
        if found.target.split(".")[0] in FRAMEWORKS and room(found.importer) != "backend"
    ]
    assert not found


def test_nothing_reaches_into_keras_src():
    found = [str(found) for found in IMPORTS if is_of(found.target, "keras.src")]
    for name, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr == "src":
                owner = ast.unparse(node.value)
                if owner.split(".")[-1].lstrip("_") == "keras":
                    found.append(f"{name}:{node.lineno} reads {owner}.src")
            if isinstance(node, ast.ImportFrom) and node.module == "keras":
                found += [f"{name}:{node.lineno}" for alias in node.names if alias.name == "src"]
    assert not found


def test_text_vectors_and_viz_never_import_keras():
    below = {"", *ROOMS[: ROOMS.index("backend")]}
    found = [
        str(found)
        for found in IMPORTS
        if room(found.importer) in below - {""}
        and (
            found.target.split(".")[0] in FRAMEWORKS
            or (is_of(found.target, "rowwise") and room(found.target) not in below)
        )
    ]
    assert not found


def loaded_after(code: str) -> set[str]:
    """Packages that a fresh Python has loaded after running ``code``."""
    script = (
        f"import sys\n{code}\nimport json\n"
        "print()\nprint(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_importing_rowwise_loads_no_framework():
    loaded = loaded_after("import rowwise\ndir(rowwise)\nrowwise.__version__")
    assert "rowwise" in loaded
    assert not loaded & HEAVY


@pytest.mark.parametrize("package", ["rowwise.text", "rowwise.vectors", "rowwise.viz"])
def test_text_vectors_and_viz_load_no_framework(package):
    loaded = loaded_after(f"import {package}")
    assert not loaded & {*FRAMEWORKS, "sklearn", "matplotlib"}


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], [], ["train", "--help"]])
def test_help_and_version_load_nothing_heavy(arguments):
    code = (
        "from rowwise.cli import main\n"
        f"try:\n    main({arguments!r})\n"
        "except SystemExit as ended:\n    assert not ended.code"
    )
    loaded = loaded_after(code)
    assert "click" in loaded
    assert not loaded & HEAVY
