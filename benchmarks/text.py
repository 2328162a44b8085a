"""Text to padded ids: rowwise's Tokenizer and keras-preprocessing's, in one run.

Both fit on the same generated texts, turn them into lists of ids and pad those; the results are
checked to be equal. The texts' words follow Zipf's law, some are capitalised, and punctuation
stands between them. Usage: python benchmarks/text.py [--texts 50000] [--words 60] [--runs 3]
"""

import argparse
import gc
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

# NumPy 2 removed a name that keras-preprocessing 1.1.2 asks for when it pads.
if not hasattr(np, "unicode_"):
    np.unicode_ = np.str_

import keras_preprocessing.sequence as keras_sequence
import keras_preprocessing.text as keras_text

import rowwise.text as rowwise_text

LETTERS = np.array(list("etaoinshrdlucmfwypvbgkjqxz"))


def make_words(count: int, rng: np.random.Generator) -> np.ndarray:
    """Return different words of 2 to 12 letters, short ones first."""
    chances = 1 / np.arange(2, 2 + len(LETTERS))
    chances /= chances.sum()
    words: dict[str, None] = {}
    while len(words) < count:
        longest = 6 if len(words) < 200 else 12
        letters = rng.choice(LETTERS, size=rng.integers(2, longest + 1), p=chances)
        words["".join(letters)] = None
    return np.array(list(words), dtype=object)


def make_texts(texts: int, words_per_text: int, seed: int = 0) -> list[str]:
    """Return texts of about that many words, of a vocabulary of 50,000."""
    rng = np.random.default_rng(seed)
    vocabulary = make_words(50_000, rng)
    chances = 1 / np.arange(1, len(vocabulary) + 1)
    chances /= chances.sum()
    lengths = rng.poisson(words_per_text, size=texts)
    words = vocabulary[rng.choice(len(vocabulary), size=lengths.sum(), p=chances)]
    capital = rng.random(len(words)) < 0.1
    words[capital] = [word.capitalize() for word in words[capital]]
    after = np.array([" "] * 85 + [", "] * 8 + [". "] * 5 + ["! ", " - "], dtype=object)
    pieces = (words + after[rng.integers(0, len(after), len(words))]).tolist()
    ends = np.cumsum(lengths).tolist()
    starts = [0, *ends[:-1]]
    return ["".join(pieces[start:end]) for start, end in zip(starts, ends, strict=True)]


def run_keras(texts: list[str]) -> tuple[Any, Any, Any]:
    tokenizer = keras_text.Tokenizer()
    tokenizer.fit_on_texts(texts)
    sequences = tokenizer.texts_to_sequences(texts)
    return tokenizer, sequences, keras_sequence.pad_sequences(sequences)


def run_rowwise(texts: list[str]) -> tuple[Any, Any, Any]:
    tokenizer = rowwise_text.Tokenizer()
    tokenizer.fit_on_texts(texts)
    sequences = tokenizer.texts_to_sequences(texts)
    return tokenizer, sequences, rowwise_text.pad_sequences(sequences)


def run_encode(texts: list[str]) -> tuple[Any, Any, Any]:
    tokenizer = rowwise_text.Tokenizer()
    tokenizer.fit_on_texts(texts)
    return tokenizer, None, tokenizer.encode(texts, padding="pre").ids


def timed(function: Callable[[list[str]], Any], texts: list[str]) -> tuple[float, Any]:
    gc.collect()
    start = time.perf_counter()
    result = function(texts)
    return time.perf_counter() - start, result


def check_equal(ours: tuple[Any, Any, Any], theirs: tuple[Any, Any, Any]) -> None:
    for name in ("word_counts", "word_docs", "word_index", "index_word", "index_docs"):
        assert getattr(ours[0], name) == getattr(theirs[0], name), f"{name} differs"
    assert list(ours[0].word_counts) == list(theirs[0].word_counts), "the order differs"
    assert ours[1] is None or ours[1] == theirs[1], "sequences differ"
    assert np.array_equal(ours[2], theirs[2]), "padded arrays differ"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--texts", type=int, default=50_000, help="number of texts")
    parser.add_argument("--words", type=int, default=60, help="mean words per text")
    parser.add_argument("--runs", type=int, default=3, help="runs, of which the median counts")
    options = parser.parse_args()
    texts = make_texts(options.texts, options.words)
    run_rowwise(texts[:100])  # loads what is loaded on first use
    run_keras(texts[:100])
    functions = {"keras": run_keras, "rowwise": run_rowwise, "encode": run_encode}
    seconds: dict[str, list[float]] = {name: [] for name in functions}
    for run in range(options.runs):
        # Each goes first in turn: later ones find memory fragmented by the results of others.
        names = list(functions)
        results = {}
        for name in names[run % 3 :] + names[: run % 3]:
            took, results[name] = timed(functions[name], texts)
            seconds[name].append(took)
        check_equal(results["rowwise"], results["keras"])
        check_equal(results["encode"], results["keras"])
        words = sum(results["keras"][0].word_counts.values())
        distinct = len(results["keras"][0].word_index)
        del results
    median = {name: statistics.median(values) for name, values in seconds.items()}
    print(f"{len(texts):,} texts, {words:,} words, {distinct:,} of them different")
    print(f"keras-preprocessing  fit, sequences, padding  {median['keras']:7.3f} s")
    print(f"rowwise              fit, sequences, padding  {median['rowwise']:7.3f} s")
    print(f"rowwise              fit, encode              {median['encode']:7.3f} s")
    print(f"ratio {median['keras'] / median['rowwise']:.1f} (with encode: ", end="")
    print(f"{median['keras'] / median['encode']:.1f}); results are equal")


if __name__ == "__main__":
    main()
