"""The fuzzer starts from files that load, so that what it changes is what is read."""

from pathlib import Path

from fuzz_seeds import WORDS, put, seeds

from rowwise.errors import DataFileError
from rowwise.vectors import Vectors

# Of each format that is read.
FORMATS = {
    "fasttext",
    "finalfusion",
    "gensim",
    "glove",
    "keras",
    "model2vec",
    "npy",
    "rowwise",
    "tensorboard",
    "word2vec-binary",
    "word2vec-text",
}


def test_every_format_has_a_seed_that_loads(tmp_path: Path) -> None:
    found = set()
    for number, seed in enumerate(seeds()):
        folder = tmp_path / str(number)
        folder.mkdir()
        path = put(seed, folder)
        try:
            vectors = Vectors.load(path, unpickle=True)
        except DataFileError as error:
            # A zip of two has to be told which.
            assert "several members" in str(error)  # noqa: PT017
            vectors = Vectors.load(path, member="v.vec")
        assert len(vectors) == len(WORDS)
        assert vectors.report is not None
        found.add(vectors.report.format)
    assert found == FORMATS
