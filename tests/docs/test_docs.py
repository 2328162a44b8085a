"""The documentation is true: its code prints what it says, and its links lead somewhere."""

import os
import re
import subprocess
import sys
from contextlib import chdir
from pathlib import Path

import pytest
from pages import NOT_RUN, Reader, Step, agrees, is_run, read_steps

from rowwise.backend import keras

ROOT = Path(__file__).resolve().parents[2]
DOCS = sorted((ROOT / "docs").glob("**/*.md"))
PAGES = [*DOCS, ROOT / "README.md"]
PROSE = [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]
WITH_STEPS = [page for page in PAGES if any(map(is_run, read_steps(page)))]


def _name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", WITH_STEPS, ids=_name)
def test_a_page_prints_what_it_says(page: Path, tmp_path: Path) -> None:
    keras.backend.clear_session()
    reader = Reader(_name(page))
    with chdir(tmp_path):
        for step in filter(is_run, read_steps(page)):
            printed = reader.follow(step)
            assert agrees(step.expected, printed), (
                f"{_name(page)}, line {step.line}: {step.source}\n"
                f"--- the page says\n{step.expected}--- printed is\n{printed}"
            )


@pytest.mark.parametrize("page", WITH_STEPS, ids=_name)
def test_a_page_imports_keras_after_rowwise(page: Path) -> None:
    # These tests have imported rowwise already; in a reader's Python, plain Keras that comes first
    # fails wherever TensorFlow is not installed.
    code = "\n".join(step.source for step in read_steps(page) if step.language == "python")
    imported = re.findall(r"^(?:from|import) (keras|rowwise)\b", code, re.MULTILINE)
    assert imported[:1] != ["keras"]


def test_every_page_of_the_site_has_steps() -> None:
    assert set(DOCS) <= set(WITH_STEPS)


def test_the_site_builds_and_fetches_nothing(tmp_path: Path) -> None:
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    for page in DOCS:
        html = (tmp_path / page.relative_to(ROOT / "docs")).with_suffix(".html").read_text("utf-8")
        tags = re.findall(r"<(?:script|link|img|iframe)\b[^>]*>", html)
        assert tags
        remote = [tag for tag in tags if re.search(r"(?:src|href)=[\"']?(?:https?:)?//", tag)]
        assert not remote, f"{page.name} fetches {remote}"


def test_every_page_is_in_the_navigation() -> None:
    navigation = (ROOT / "mkdocs.yml").read_text("utf-8").partition("\nnav:\n")[2]
    named = re.findall(r"^ +- .*: (\S+\.md)$", navigation, re.MULTILINE)
    assert sorted(named) == [page.relative_to(ROOT / "docs").as_posix() for page in DOCS]


@pytest.mark.parametrize("page", PROSE, ids=_name)
def test_relative_links_lead_to_files(page: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        path, _, anchor = target.partition("#")
        if "://" in target or target.startswith("mailto:"):
            continue
        file = page.parent / path if path else page
        assert file.exists(), f"{_name(page)} links to {target}"
        if anchor:
            assert anchor in _anchors(file), f"{_name(page)} links to {target}"


def _anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as Markdown makes them."""
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    plain = [re.sub(r"[^\w\s-]", "", heading).strip().lower() for heading in headings]
    return {re.sub(r"[-\s]+", "-", heading) for heading in plain}


STEPS = """\
```python
print("seen")
```

```text
seen
```

```python
pass
```

Words between.

```text
no output of the block above
```

```console
$ make test
$ rowwise train FILE \\
    --quiet
one
two
```
"""


def test_steps_are_cut_out_of_a_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(STEPS, encoding="utf-8")
    assert read_steps(page) == [
        Step(1, "python", 'print("seen")\n', "seen\n"),
        Step(9, "python", "pass\n", ""),
        Step(19, "console", "make test", ""),
        Step(19, "console", "rowwise train FILE      --quiet", "one\ntwo\n"),
    ]
    assert [is_run(step) for step in read_steps(page)] == [True, True, False, True]


@pytest.mark.parametrize(
    ("expected", "printed", "same"),
    [
        ("one\n", "one \n\n", True),
        ("one\n", "one\ntwo\n", False),
        ("", "one\n", False),
        ("a ... c\n", "a b c\n", True),
        ("a\n...\nc\n", "a\nb\nb\nc\n", True),
        ("0.8...\n", "0.75\n", False),
        ("a.c", "abc", False),
    ],
)
def test_printed_text_is_compared_with_wildcards(expected: str, printed: str, same: bool) -> None:
    assert agrees(expected, printed) is same


def test_a_page_cannot_run_other_programs(tmp_path: Path) -> None:
    assert "curl" not in NOT_RUN
    with pytest.raises(AssertionError, match="only rowwise"):
        Reader("page").follow(Step(1, "console", "curl example.org", ""))
