"""Files of vectors: one module per format, chosen by a file's content when reading."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rowwise.errors import DataFileError, InvalidArgumentError
from rowwise.files import atomic_folder, atomic_path
from rowwise.vectors.formats import archive
from rowwise.vectors.formats.archive import Member
from rowwise.vectors.formats.fasttext_binary import FASTTEXT
from rowwise.vectors.formats.finalfusion import FINALFUSION
from rowwise.vectors.formats.format import Content, Format, Loaded
from rowwise.vectors.formats.gensim_native import GENSIM
from rowwise.vectors.formats.keras_file import KERAS
from rowwise.vectors.formats.model2vec import MODEL2VEC
from rowwise.vectors.formats.native import ROWWISE
from rowwise.vectors.formats.npy import NPY
from rowwise.vectors.formats.packed import SUFFIXES, packer
from rowwise.vectors.formats.request import Request
from rowwise.vectors.formats.source import Source, plain_source
from rowwise.vectors.formats.tensorboard import TENSORBOARD
from rowwise.vectors.formats.text import GLOVE, WORD2VEC_TEXT
from rowwise.vectors.formats.word2vec_binary import WORD2VEC_BINARY

# In the order in which a file's content is compared with them: the surest first.
FORMATS: tuple[Format, ...] = (
    KERAS,
    ROWWISE,
    NPY,
    FINALFUSION,
    GENSIM,
    WORD2VEC_BINARY,
    FASTTEXT,
    MODEL2VEC,
    TENSORBOARD,
    WORD2VEC_TEXT,
    GLOVE,
)
BY_NAME = {format.name: format for format in FORMATS}

# Of files without a row; a row of zeros would have as many.
MOST_COLUMNS = 1 << 20


def load(path: str | os.PathLike[str], request: Request, format: str | None = None) -> Loaded:
    """Read the file or folder at ``path``; its format is told by its content.

    Args:
        path: the file or folder.
        request: what is wanted of it.
        format: the name of a format, where the content is not to decide.

    Raises:
        DataFileError: there is nothing, or no vectors.
        InvalidArgumentError: ``format`` or ``member`` makes no sense.
    """
    chosen = None if format is None else format_named(format)
    source = plain_source(Path(path))
    if source.is_folder and chosen is not None and not chosen.folder:
        raise DataFileError(
            f"{str(path)!r} is a folder, and the format {chosen.name} is a file. Name a file in it."
        )
    is_zip = not source.is_folder and source.start.startswith(archive.START)
    if is_zip and not KERAS.matches(source):
        source = archive.choose(source.path, request.member, _describe)
    elif request.member is not None and not is_zip:
        raise InvalidArgumentError(
            f"`member` chooses a file in a zip, or a layer of a model, and {str(path)!r} is "
            "neither. Leave it out."
        )
    loaded = (chosen or recognise(source)).read(source, request)
    loaded.report.path = str(path)
    row_count, columns = loaded.rows.shape
    if not row_count and columns > MOST_COLUMNS:  # which no row is there to bear out
        raise DataFileError(f"{str(path)!r} promises {columns:,} columns and holds no row.")
    return loaded


def recognise(source: Source) -> Format:
    """The format of a source.

    Raises:
        DataFileError: of a folder, where it is none.
    """
    found = next((format for format in FORMATS if format.matches(source)), None)
    if found is None and source.is_folder:
        raise DataFileError(
            f"The folder {str(source.path)!r} holds no vectors: expected model.safetensors and "
            "tokenizer.json of model2vec, or vectors.tsv and metadata.tsv of TensorBoard. For a "
            "model name its .keras file."
        )
    return found or GLOVE  # whose reader says in which line it fails


def format_named(name: str) -> Format:
    """The format of this name; InvalidArgumentError when there is none."""
    if not isinstance(name, str) or name not in BY_NAME:
        raise InvalidArgumentError(
            f"`format` must be one of {', '.join(BY_NAME)}. Received: {name!r}."
        )
    return BY_NAME[name]


def _describe(source: Source) -> Member:
    """What a member of a zip holds; DataFileError for one without vectors."""
    found = next((format for format in FORMATS if format.matches(source)), None)
    if found is None:
        raise DataFileError(f"{source.name!r} holds no vectors.")
    columns = None
    if found in (GLOVE, WORD2VEC_TEXT):
        columns = source.layout.columns
    elif found is WORD2VEC_BINARY:
        columns = int(source.start.split(b"\n", 1)[0].split()[1])
    return Member(str(source.member), found.name, columns)


def save(path: str | os.PathLike[str], content: Content, format: str | None = None) -> list[str]:
    """Write to ``path``, in the format that is named or that its suffix tells.

    Returns:
        what the format cannot hold and is left out, a sentence each.

    Raises:
        InvalidArgumentError: no known format, or words that it cannot hold.
    """
    target = Path(path)
    packing = SUFFIXES.get(target.suffix)
    chosen = _format_for(target if packing is None else target.with_suffix(""), format)
    if packing is not None and not chosen.streamed:
        raise InvalidArgumentError(
            f"The format {chosen.name} is not written packed. Leave {target.suffix!r} out."
        )
    write = chosen.write
    if write is None:
        raise InvalidArgumentError(
            f"The format {chosen.name} is only read. Write one of {', '.join(_written())} instead."
        )
    lost = _lost(chosen, content)
    if chosen.folder:
        with atomic_folder(target) as folder:
            write(folder, content)
        return lost
    with atomic_path(target) as temporary, _companion(chosen, target, content):
        if not chosen.streamed:
            write(temporary, content)
            return lost
        with temporary.open("wb") as file:
            if packing is None:
                write(file, content)
            else:
                with packer(file, packing) as packed:
                    write(packed, content)
    return lost


def _format_for(target: Path, format: str | None) -> Format:
    if format is not None:
        return format_named(format)
    fitting = [each for each in FORMATS if target.suffix in each.suffixes]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        names = " or ".join(f"format={each.name!r}" for each in fitting)
        raise InvalidArgumentError(
            f"Several formats have the suffix {target.suffix!r}. Say which: {names}."
        )
    if target.is_dir():
        raise InvalidArgumentError(f"{str(target)!r} is a folder. Name a file in it.")
    suffixes = sorted({suffix for each in FORMATS if each.write for suffix in each.suffixes})
    raise InvalidArgumentError(
        f"The suffix must be one of {', '.join(suffixes)}, or `format` one of "
        f"{', '.join(_written())}. Received: {target.name!r}."
    )


def _written() -> list[str]:
    return [each.name for each in FORMATS if each.write is not None]


def _lost(chosen: Format, content: Content) -> list[str]:
    lost = []
    if content.subwords is not None and not chosen.holds_subwords:
        lost.append(
            f"The format {chosen.name} holds no subwords: rows for words that are not among the "
            f"{len(content.words):,} cannot be made from it."
        )
    if content.rows.dtype.name == "float64" and chosen.float32_only:
        lost.append(f"The format {chosen.name} holds float32 numbers: digits of float64 are lost.")
    return lost


@contextmanager
def _companion(chosen: Format, target: Path, content: Content) -> Iterator[None]:
    """Write the second file of a format that has one; it takes its place after the block."""
    if chosen.companion is None:
        yield
        return
    with atomic_path(chosen.companion.path(target, content)) as temporary:
        chosen.companion.write(temporary, content)
        yield
