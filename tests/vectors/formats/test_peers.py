"""Files of other tools load with the numbers of the tools themselves."""

import random
import warnings
from pathlib import Path

import fasttext
import gensim.models
import numpy as np
import pytest
from gensim.models import FastText, KeyedVectors
from gensim.models.fasttext import load_facebook_vectors, save_facebook_model

from rowwise.errors import DataFileError
from rowwise.vectors import Vectors
from rowwise.vectors.ngrams import hash_bytes, hashed_ngrams, ngrams_of

RANDOM = random.Random(0)
CORPUS_WORDS = [f"wörd{i}" if i % 3 else f"猫{i}" for i in range(400)] + ["👍🏽", "naïve"]
SENTENCES = [[RANDOM.choice(CORPUS_WORDS) for _ in range(12)] for _ in range(300)]
STRANGE = ["quickest", "wörd", "猫犬", "xyz", "naïver", "über"]
# gensim gives n-grams to the end of a sentence, fastText does not.
END = "</s>"


def folder_of(shared_data: Path) -> Path:
    return shared_data / "vectors"


@pytest.mark.parametrize(
    ("name", "binary", "header"),
    [
        ("euclidean_vectors.bin", True, True),
        ("high_precision.kv.bin", True, True),
        ("high_precision.kv.txt", False, True),
        ("crime-and-punishment.vec", False, True),
        ("lee_fasttext.vec", False, True),
        ("toy-model.vec", False, True),
        ("test_glove.txt", False, False),
        ("glove.6B.50d.5k.txt", False, False),
    ],
)
def test_word2vec_and_glove_as_gensim_reads_them(
    shared_data: Path, name: str, binary: bool, header: bool, tmp_path: Path
) -> None:
    path = folder_of(shared_data) / name
    with_header = path
    if not header:
        # gensim's own way to read a file without leaves it open.
        content = path.read_bytes()
        lines, columns = content.count(b"\n"), content.split(b"\n", 1)[0].count(b" ")
        with_header = tmp_path / "v.txt"
        with_header.write_bytes(b"%d %d\n" % (lines, columns) + content)
    theirs = KeyedVectors.load_word2vec_format(str(with_header), binary=binary)
    ours = Vectors.load(path)
    assert list(ours.words) == theirs.index_to_key
    assert np.array_equal(ours.rows, theirs.vectors)
    assert ours.report.odd == 0


@pytest.mark.parametrize(
    "name", ["crime-and-punishment", "lee_fasttext", "lee_fasttext_new", "toy-model"]
)
def test_fasttext_binary_as_gensim_reads_it(shared_data: Path, name: str) -> None:
    path = folder_of(shared_data) / f"{name}.bin"
    theirs = load_facebook_vectors(str(path))
    ours = Vectors.load(path)
    assert list(ours.words) == theirs.index_to_key
    same = [place for place, word in enumerate(ours.words) if word != END]
    assert len(same) > 20
    assert np.allclose(ours.rows[same], theirs.vectors[same], atol=1e-6)
    for word in STRANGE:
        made = ours.subwords.vector(word)
        assert word not in ours
        assert np.allclose(made, theirs.get_vector(word), atol=1e-6)
    some = ours.words[5]
    assert np.array_equal(Vectors.load(path)[some], ours.rows[5])
    assert np.array_equal(Vectors.load(path, only=[some]).rows[0], ours.rows[5])


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("corpus") / "corpus.txt"
    lines = [
        " ".join(["__label__en" if i % 2 else "__label__de", *s]) for i, s in enumerate(SENTENCES)
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


TRAINED = {
    "skipgram": {"model": "skipgram", "minn": 2, "maxn": 5},
    "single characters": {"model": "skipgram", "minn": 1, "maxn": 3},
    "cbow without subwords": {"model": "cbow", "maxn": 0},
    "supervised": {"minn": 0, "maxn": 0},
    "supervised with subwords": {"minn": 2, "maxn": 4},
}


def train(corpus: Path, name: str):
    options = {"dim": 10, "epoch": 1, "minCount": 1, "bucket": 500, "thread": 1, "verbose": 0}
    options |= TRAINED[name]
    if name.startswith("supervised"):
        return fasttext.train_supervised(str(corpus), **options)
    return fasttext.train_unsupervised(str(corpus), **options)


def row_of(model, word: str) -> np.ndarray:
    """The mean of the pieces that fastText names for a word, which is how it makes its row.

    (The package's own ``get_word_vector`` scales the mean to the length 1.)
    """
    pieces = [model.get_input_vector(piece) for piece in model.get_subwords(word)[1]]
    return np.mean(pieces, axis=0) if pieces else np.zeros(model.get_dimension())


def same_as_fasttext(path: Path, model, subwords: bool) -> Vectors:
    ours = Vectors.load(path)
    words = [word for word in model.get_words() if not word.startswith("__label__")]
    assert list(ours.words) == words
    for position, word in enumerate(words):
        expected = row_of(model, word)
        assert np.allclose(ours.rows[position], expected, atol=1e-6), word
    for word in STRANGE:
        made = ours.subwords.vector(word) if subwords else None
        expected = row_of(model, word)
        assert np.allclose(expected if made is not None else np.zeros(10), expected)
        assert made is None or np.allclose(made, expected, atol=1e-6)
    return ours


@pytest.mark.parametrize("name", TRAINED)
def test_fasttext_models_as_fasttext_reads_them(corpus: Path, name: str, tmp_path: Path) -> None:
    model = train(corpus, name)
    model.save_model(str(tmp_path / "m.bin"))
    subwords = TRAINED[name]["maxn"] > 0
    ours = same_as_fasttext(tmp_path / "m.bin", model, subwords)
    assert (ours.subwords is not None) == subwords


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"qnorm": True},
        {"cutoff": 300},
        {"cutoff": 300, "qnorm": True, "retrain": True, "epoch": 1},
        {"dsub": 3},
    ],
)
@pytest.mark.parametrize("name", ["supervised", "supervised with subwords"])
def test_quantised_and_pruned_models(
    corpus: Path, name: str, options: dict, tmp_path: Path
) -> None:
    model = train(corpus, name)
    with warnings.catch_warnings():
        model.quantize(input=str(corpus), **options)
    model.save_model(str(tmp_path / "m.ftz"))
    again = fasttext.load_model(str(tmp_path / "m.ftz"))
    ours = Vectors.load(tmp_path / "m.ftz")
    words = [word for word in again.get_words() if not word.startswith("__label__")]
    assert list(ours.words) == words
    for position, word in enumerate(words):
        assert np.allclose(ours.rows[position], row_of(again, word), atol=1e-6), word
    for word in STRANGE:
        made = None if ours.subwords is None else ours.subwords.vector(word)
        expected = row_of(again, word)
        assert np.allclose(np.zeros(10) if made is None else made, expected, atol=1e-6)


def test_a_written_fasttext_file_is_read_by_fasttext(corpus: Path, tmp_path: Path) -> None:
    train(corpus, "skipgram").save_model(str(tmp_path / "m.bin"))
    ours = Vectors.load(tmp_path / "m.bin")
    ours.save(tmp_path / "again.bin", format="fasttext")
    same_as_fasttext(tmp_path / "again.bin", fasttext.load_model(str(tmp_path / "again.bin")), True)
    theirs = load_facebook_vectors(str(tmp_path / "again.bin"))
    assert np.allclose(theirs.get_vector("quickest"), ours.subwords.vector("quickest"), atol=1e-6)
    # Subwords survive in the formats that hold them, and are missed aloud in others.
    for name in ("v.safetensors", "v.fifu"):
        ours.save(tmp_path / name)
        other = Vectors.load(tmp_path / name)
        assert np.array_equal(other.rows, ours.rows)
        assert np.allclose(other.subwords.vector("quickest"), ours.subwords.vector("quickest"))
    with pytest.warns(UserWarning, match="holds no subwords"):
        ours.save(tmp_path / "v.vec")
    plain = Vectors(["a", "b"], np.eye(2, dtype="float32"))
    plain.save(tmp_path / "plain.bin", format="fasttext")
    model = fasttext.load_model(str(tmp_path / "plain.bin"))
    assert model.get_words() == ["a", "b"]
    assert np.array_equal(row_of(model, "b"), [0, 1])


@pytest.mark.parametrize("format", ["word2vec-text", "word2vec-binary"])
def test_written_word2vec_files_are_read_by_gensim(
    some: Vectors, format: str, tmp_path: Path
) -> None:
    # gensim takes other white space than the space for a separator, too.
    kept = [word for word in some.words if word == "".join(word.split())]
    vectors = Vectors(kept, some.rows[[some.index(word) for word in kept]])
    vectors.save(tmp_path / "v", format=format)
    theirs = KeyedVectors.load_word2vec_format(
        str(tmp_path / "v"), binary=format.endswith("binary")
    )
    assert theirs.index_to_key == kept
    assert np.array_equal(theirs.vectors, vectors.rows)


def make_gensim() -> KeyedVectors:
    vectors = KeyedVectors(5)
    rows = np.random.default_rng(0).normal(size=(4, 5)).astype("float32")
    vectors.add_vectors(["the", "猫", "new york", "\x85"], rows)
    return vectors


@pytest.mark.parametrize("apart", [False, True])
def test_gensims_own_files_load_only_when_asked_for(apart: bool, tmp_path: Path) -> None:
    theirs = make_gensim()
    path = tmp_path / "v.kv"
    theirs.save(str(path), sep_limit=1 if apart else 10**9)
    assert (tmp_path / "v.kv.vectors.npy").exists() == apart
    with pytest.raises(DataFileError, match="pass unpickle=True"):
        Vectors.load(path)
    ours = Vectors.load(path, unpickle=True)
    assert list(ours.words) == theirs.index_to_key
    assert np.array_equal(ours.rows, theirs.vectors)


@pytest.mark.parametrize("apart", [False, True])
def test_gensims_fasttext_models(apart: bool, tmp_path: Path) -> None:
    model = FastText(SENTENCES, vector_size=8, min_count=1, epochs=1, bucket=300, seed=1, workers=1)
    path = tmp_path / "m"
    model.save(str(path), **({"sep_limit": 1} if apart else {}))
    save_facebook_model(model, str(tmp_path / "m.bin"))
    for ours in (Vectors.load(path, unpickle=True), Vectors.load(tmp_path / "m.bin")):
        assert list(ours.words) == model.wv.index_to_key
        assert np.allclose(ours.rows, model.wv.vectors, atol=1e-6)
        for word in STRANGE:
            assert np.allclose(ours.subwords.vector(word), model.wv[word], atol=1e-6)


class Harmful:
    def __reduce__(self):
        return print, ("a pickle ran code",)


def test_a_harmful_pickle_runs_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import pickle

    (tmp_path / "v.kv").write_bytes(pickle.dumps(Harmful(), protocol=4))
    with pytest.raises(DataFileError, match=r"builtins\.print, which is not allowed"):
        Vectors.load(tmp_path / "v.kv", unpickle=True)
    assert capsys.readouterr().out == ""
    assert gensim.models is not None


@pytest.mark.parametrize("word", ["where", "über", "猫犬", "", "a", "\x85", "👍🏽"])
@pytest.mark.parametrize(("minn", "maxn"), [(1, 3), (3, 6), (0, 2), (5, 2)])
def test_ngrams_at_once_are_those_one_by_one(word: str, minn: int, maxn: int) -> None:
    encoded = word.encode()
    words = [b"other", encoded, b"\xff\xbf\xbf\xbf\xbf\xbf"][: 2 if minn % 2 else 3]
    found = hashed_ngrams(words, minn, maxn)
    for place, each in enumerate(words):
        expected = [hash_bytes(ngram) for ngram in ngrams_of(each, minn, maxn)]
        assert sorted(found.hash[found.word == place].tolist()) == sorted(expected)
