"""``evaluate``: the figures of gensim and of a plain search, on real and on made-up files."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowwise.errors import DataFileError, InvalidArgumentError
from rowwise.vectors import Vectors, analogies
from rowwise.vectors.analogies import solve
from rowwise.vectors.evaluation import AnalogyReport, SimilarityReport, rank_correlation
from rowwise.vectors.norms import Norms

FILES = {
    "EN-WS-353-ALL.txt": (353, 190, 0.5353),
    "EN-SIMLEX-999.txt": (999, 392, 0.2337),
    "EN-MEN-TR-3k.txt": (3000, 777, 0.6817),
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("ignore_case", [None, True])
def test_rank_correlation_with_people_is_gensims(
    name: str, ignore_case: bool | None, glove: Vectors, gensim_glove: Any, shared_data: Path
) -> None:
    path = shared_data / "similarity" / name
    report = glove.evaluate(path, ignore_case=ignore_case)
    assert isinstance(report, SimilarityReport)
    _, theirs, missing = gensim_glove.evaluate_word_pairs(
        str(path), case_insensitive=bool(ignore_case)
    )
    assert report.spearman == pytest.approx(theirs.statistic, abs=1e-6)
    assert report.covered == round(report.pairs * (1 - missing / 100))
    if not ignore_case:
        pairs, covered, spearman = FILES[name]
        assert (report.pairs, report.covered) == (pairs, covered)
        assert report.spearman == pytest.approx(spearman, abs=1e-4)
        assert str(report) == (
            f"{name}: Spearman {report.spearman:.3f} on {covered} of {pairs:,} pairs"
        )


@pytest.mark.parametrize("limit", [None, 2000])
def test_accuracy_on_analogies_is_gensims(
    limit: int | None, glove: Vectors, gensim_glove: Any, shared_data: Path
) -> None:
    path = shared_data / "similarity" / "questions-words.txt"
    report = glove.evaluate(path, limit=limit)
    assert isinstance(report, AnalogyReport)
    assert report.total.questions == 19_544
    score, sections = gensim_glove.evaluate_word_analogies(str(path), restrict_vocab=limit or 10**6)
    assert report.accuracy == pytest.approx(score, abs=1e-9)
    ours = {part.name: (part.correct, part.covered) for part in report.sections}
    assert len(ours) == 14
    for theirs in sections[:-1]:
        correct = len(theirs["correct"])
        assert ours[theirs["section"]] == (correct, correct + len(theirs["incorrect"]))
    assert str(report).startswith("questions-words.txt\n  capital-common-countries: ")


@given(st.data(), st.sampled_from(["add", "mul"]))
def test_answers_are_those_of_a_plain_search(data: st.DataObject, method: str) -> None:
    generator = np.random.default_rng(data.draw(st.integers(0, 1000)))
    count, columns = data.draw(st.integers(1, 40)), data.draw(st.integers(2, 6))
    rows = generator.standard_normal((count, columns))
    rows *= 10.0 ** generator.choice([0, 0, -30, 30], size=(count, 1))
    rows[generator.random(count) < 0.1] = 0
    is_bad = generator.random(count) < 0.1
    rows[is_bad] = np.nan
    good = np.flatnonzero(~is_bad)
    if not len(good):
        return
    questions = generator.choice(good, size=(data.draw(st.integers(1, 30)), 3))
    pairs = [(i, p) for i, q in enumerate(questions) for p in {*q.tolist()}]
    pairs += [(0, int(generator.integers(count)))]
    excluded = tuple(np.array(pairs).T)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(analogies, "BLOCK_COSINES", data.draw(st.sampled_from([1, 1000])))
        patch.setattr(analogies, "BLOCK_SCORES", data.draw(st.sampled_from([1, 100, 10000])))
        patch.setattr(analogies, "BLOCK_ROWS", data.draw(st.sampled_from([1, 8])))
        answers = solve(rows, Norms(rows), questions, excluded, method)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    units = rows / np.where(lengths > 0, lengths, 1)
    for number, question in enumerate(questions):
        a, b, c = units[question] @ units.T
        scores = b - a + c if method == "add" else (1 + b) / 2 * (1 + c) / 2 / ((1 + a) / 2 + 1e-06)
        scores[is_bad] = -np.inf
        scores[[position for i, position in pairs if i == number]] = -np.inf
        if scores.max() == -np.inf:
            assert answers[number] == -1
        else:
            assert scores[answers[number]] == pytest.approx(scores.max(), rel=1e-4, abs=1e-5)


CASED = Vectors(
    ["Paris", "paris", "france", "Rome", "italy", "PARIS"],
    [[1, 1, 0], [0, 0, 1], [1, 0, 0], [0.1, 1, 1], [0, 0.1, 1], [0.2, 1, 1]],
)


def write(path: Path, text: str) -> Path:
    path.write_bytes(text.encode())
    return path


def test_spellings_count_as_one_and_are_no_answers(tmp_path: Path) -> None:
    path = write(tmp_path / "q.txt", "france paris italy rome\n")
    report = CASED.evaluate(path)
    assert isinstance(report, AnalogyReport)
    # PARIS would be nearest, and is another spelling of a word in question.
    assert (report.total.covered, report.total.correct) == (1, 1)
    assert CASED.evaluate(path, ignore_case=False).total.covered == 0
    assert CASED.evaluate(path, ignore_case=False).accuracy is None
    assert CASED.evaluate(path, limit=4).total.covered == 0
    assert str(CASED.evaluate(path, limit=4)) == "q.txt\n  : - of 0 (1 question)\n" + (
        "  all: - of 0 (1 question)"
    )


def test_pairs_without_rows_are_named(tmp_path: Path) -> None:
    path = write(tmp_path / "p.csv", "word 1,word 2,mean\nParis,france,9\nRome,fork,1\n\n#\nx,x,2")
    report = CASED.evaluate(path)
    assert report == SimilarityReport("p.csv", None, 3, 1, ("fork", "x"))
    assert str(report) == "p.csv: Spearman - on 1 of 3 pairs"


def test_rows_with_nan_do_not_count(tmp_path: Path) -> None:
    vectors = Vectors(["a", "b", "c", "d"], [[1, 0], [np.nan, 0], [1, 1], [0, 1]])
    report = vectors.evaluate(write(tmp_path / "p", "a b 1\na c 2\na d 1\n"))
    assert (report.covered, report.missing) == (2, ("b",))
    assert report.spearman == pytest.approx(1)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=12))
def test_rank_correlation_is_scipys(pairs: list[tuple[int, int]]) -> None:
    from scipy.stats import spearmanr

    one, other = np.array(pairs, dtype="float64").T
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        assert rank_correlation(one, other) is None
    else:
        assert rank_correlation(one, other) == pytest.approx(spearmanr(one, other).statistic)


BAD = [
    (b"", "holds no benchmark"),
    (b": empty\n", "holds no benchmark"),
    (b"a b 1\na b\n", r"line 2: expected two words and a number\. Found: 'a b'"),
    (b"a b 1\na b c d\n", "line 2: expected two words and a number"),
    (b"a b c d\na b 1\n", "line 2: expected four words"),
    (b": s\na b c d\na b c\n", r"line 3: expected four words\. Found: 'a b c'"),
    (b"a b 1\n\xff b 2\n", "line 2: byte 0xff is not UTF-8"),
]


@pytest.mark.parametrize(("content", "message"), BAD)
def test_a_faulty_file_is_named_with_its_line(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(DataFileError, match=message):
        CASED.evaluate(tmp_path / "file")


def test_bad_arguments(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match="There is no file"):
        CASED.evaluate(tmp_path / "nowhere")
    path = write(tmp_path / "p", "a b 1\n")
    for limit in (0, 2.5, True):
        with pytest.raises(InvalidArgumentError, match="`limit` must be a positive whole number"):
            CASED.evaluate(path, limit=limit)  # type: ignore[arg-type]
    with pytest.raises(InvalidArgumentError, match="'add' or 'mul'"):
        CASED.evaluate(path, method="sub")
