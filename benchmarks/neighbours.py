"""Nearest words and analogies: rowwise's Vectors and gensim's KeyedVectors, in one run.

Both hold the same generated rows; the answers are checked to be equal. The questions are those of
word2vec's questions-words.txt, whose path is the argument; every pair of a section differs by about
the same row, so that some of the questions can be solved.
Usage: python benchmarks/neighbours.py questions-words.txt [--rows 400000] [--runs 5]
"""

import argparse
import logging
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from gensim.models import KeyedVectors

from rowwise.vectors import Vectors
from rowwise.vectors.benchmarks import read_benchmark

COLUMNS = 100
ANALOGY_ROWS = 100_000


def make_table(rows: int, rng: np.random.Generator) -> np.ndarray:
    """Normal numbers, in rows of different lengths."""
    table = rng.standard_normal((rows, COLUMNS), dtype=np.float32)
    table *= rng.uniform(0.5, 2, size=(rows, 1)).astype(np.float32)
    return table


def in_gensim(words: list[str], table: np.ndarray) -> Any:
    vectors = KeyedVectors(COLUMNS, count=0)
    vectors.add_vectors(words, table)
    vectors.fill_norms()
    return vectors


def median(function: Callable[[], Any], runs: int) -> tuple[float, Any]:
    """Median of the seconds that ``function`` takes, and what it returns."""
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        result = function()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds), result


def check_equal(ours: list[Any], theirs: list[Any]) -> None:
    for one, other in zip(ours, theirs, strict=True):
        assert [word for word, _ in one] == [word for word, _ in other], "words differ"
        assert np.allclose([s for _, s in one], [s for _, s in other], atol=1e-6), "cosines differ"


def compare_queries(rows: int, runs: int) -> None:
    rng = np.random.default_rng(0)
    words = [f"w{number}" for number in range(rows)]
    table = make_table(rows, rng)
    theirs, ours = in_gensim(words, table), Vectors(words, table)
    theirs.most_similar("w0")
    first, _ = median(lambda: ours.most_similar("w0"), 1)
    print(f"{rows:,} x {COLUMNS}, the 10 nearest words, milliseconds per query")
    print(f"(rowwise's first query, which measures the rows, took {1e3 * first:.1f})")
    print("queries   gensim  rowwise   ratio")
    for count in (1, 8, 64, 512):
        asked = [words[number] for number in rng.choice(rows, size=count, replace=False)]
        few = asked[:64]  # gensim has no other way than one by one
        slow, found = median(lambda few=few: [theirs.most_similar(word) for word in few], runs)
        fast, answers = median(lambda asked=asked: ours.most_similar(asked), runs)
        check_equal(answers[: len(few)], found)
        slow, fast = 1e3 * slow / len(few), 1e3 * fast / count
        print(f"{count:>7} {slow:>8.2f} {fast:>8.2f} {slow / fast:>7.1f}")
    terms = {"positive": ["w1", "w2"], "negative": ["w3"]}
    slow, found = median(lambda: theirs.most_similar_cosmul(**terms), runs)
    fast, answers = median(lambda: ours.most_similar(**terms, method="mul"), runs)
    check_equal([answers], [found])
    print(f"3CosMul {1e3 * slow:>8.2f} {1e3 * fast:>8.2f} {slow / fast:>7.1f}")


def compare_analogies(path: str, runs: int) -> None:
    rng = np.random.default_rng(1)
    sections = read_benchmark(path)
    position: dict[str, int] = {}
    for section in sections:
        for question in section.questions:
            for word in question:
                position.setdefault(word, len(position))
    names = [*position]
    names += [f"word{number}" for number in range(ANALOGY_ROWS - len(names))]
    table = make_table(ANALOGY_ROWS, rng)
    for section in sections:
        step = rng.standard_normal(COLUMNS)
        for question in section.questions:
            for one, other in ((question.a, question.b), (question.c, question.d)):
                noise = 0.7 * rng.standard_normal(COLUMNS)
                table[position[other]] = table[position[one]] + step + noise
    order = rng.permutation(ANALOGY_ROWS)
    table, words = table[order], [names[number] for number in order]
    theirs, ours = in_gensim(words, table), Vectors(words, table)
    fast, report = median(lambda: ours.evaluate(path), runs)
    product, _ = median(lambda: ours.evaluate(path, method="mul"), runs)
    slow, (score, found) = median(lambda: theirs.evaluate_word_analogies(path), 1)
    counts = [len(section["correct"]) for section in found[:-1]]
    assert [part.correct for part in report.sections] == counts, "answers differ"
    print(f"\n{report.total.covered:,} analogies over {ANALOGY_ROWS:,} x {COLUMNS}, seconds")
    print(f"gensim            {slow:8.2f}")
    print(f"rowwise           {fast:8.2f}   ratio {slow / fast:.0f}")
    print(f"rowwise, 3CosMul  {product:8.2f}")
    print(f"Accuracy {100 * score:.1f} %, the same in each section.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("questions", help="word2vec's questions-words.txt")
    parser.add_argument("--rows", type=int, default=400_000, help="rows of the table of queries")
    parser.add_argument("--runs", type=int, default=5, help="runs, of which the median counts")
    options = parser.parse_args()
    logging.disable()
    compare_queries(options.rows, options.runs)
    compare_analogies(options.questions, options.runs)


if __name__ == "__main__":
    main()
