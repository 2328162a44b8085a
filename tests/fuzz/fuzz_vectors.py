"""Random bytes for the readers of files of vectors, by atheris (extra ``fuzz``).

Any bytes give vectors or an error of rowwise: never another exception, a hang, or much memory.
Usage: python tests/fuzz/fuzz_vectors.py [CORPUS_FOLDER] [-max_total_time=60]
It starts from small files of every format. What fails is left in a file crash-...
"""

import contextlib
import sys
import tempfile
import warnings
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["rowwise"]):
    from fuzz_seeds import put, seeds

    from rowwise.errors import RowwiseError
    from rowwise.vectors import Vectors

FOLDER = Path(tempfile.mkdtemp(prefix="rowwise-fuzz-"))


def attempt(data: bytes) -> None:
    """Load ``data``, and look at everything that was loaded."""
    path = put(data, FOLDER)
    with warnings.catch_warnings(), contextlib.suppress(RowwiseError):
        warnings.simplefilter("ignore")
        vectors = Vectors.load(path, unpickle=True, limit=1000)
        rows = vectors.rows
        assert rows.shape == (len(vectors.words), vectors.dimension)
        for word in vectors.words[:3]:
            assert vectors[word].shape == (vectors.dimension,)
        if vectors.subwords is not None:
            vectors.subwords.vector("strange")


def main() -> None:
    arguments = sys.argv
    if not any(not argument.startswith("-") for argument in arguments[1:]):
        corpus = FOLDER / "corpus"
        corpus.mkdir()
        for number, seed in enumerate(seeds()):
            (corpus / str(number)).write_bytes(seed)
        arguments = [*arguments, str(corpus)]
    atheris.Setup([*arguments, "-rss_limit_mb=2048", "-timeout=20"], attempt)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
