"""The code blocks of the three documents, cut out of their text as a reader would."""

import ast
import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Block:
    """A piece of code of a document."""

    name: str
    code: str
    after: str
    """What the document says from the end of this block to the start of the next."""


def fenced_blocks(text: str) -> list[Block]:
    """Blocks between ```python and ```."""
    found = list(re.finditer(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE))
    ends = [match.start() for match in found[1:]] + [len(text)]
    return [
        Block(f"fence {number}", match[1], text[match.end() : end])
        for number, (match, end) in enumerate(zip(found, ends, strict=True), start=1)
    ]


def notebook_blocks(text: str) -> list[Block]:
    """Cells that a notebook printed: ``In [n]:``, code, what it printed, prose.

    A cell's code ends at two empty lines or, when what stands before those is more than code,
    at the first empty line.
    """
    pieces = re.split(r"^In \[(\d+)\]:\n", text, flags=re.MULTILINE)[1:]
    blocks = []
    for number, piece in zip(pieces[::2], pieces[1::2], strict=True):
        code = piece.split("\n\n\n")[0]
        if not is_python(code):
            code = piece.split("\n\n")[0]
        blocks.append(Block(f"In [{number}]", code + "\n", piece[len(code) :]))
    return blocks


def unfenced_blocks(text: str) -> list[Block]:
    """Code among prose without any mark: from an import on, as far as it is Python."""
    lines = text.splitlines(keepends=True)
    start = next(i for i, line in enumerate(lines) if re.match(r"(import|from) \w+", line))
    end = max(i for i in range(start + 1, len(lines) + 1) if is_python("".join(lines[start:i])))
    return [Block("listing", "".join(lines[start:end]), "".join(lines[end:]))]


def is_python(code: str) -> bool:
    try:
        ast.parse(code)
    except SyntaxError:
        return False
    return True


def with_rowwise(code: str) -> str:
    """``code`` with the imports of Keras replaced, and nothing else."""
    code = re.sub(r"^(from|import) tensorflow\.keras\b", r"\1 rowwise.keras", code, flags=re.M)
    code = re.sub(r"^from tensorflow import keras\b", "from rowwise import keras", code, flags=re.M)
    return re.sub(r"^(from|import) keras\.", r"\1 rowwise.keras.", code, flags=re.M)


def read(folder: Path, start: str) -> str:
    """The document in ``folder`` whose name starts with ``start``."""
    (path,) = folder.glob(f"{start}_*.txt")
    return path.read_text(encoding="utf-8")
