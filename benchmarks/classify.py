"""How good TextClassifier is beside fastText, on labelled files.

Trains ``TextClassifier`` with its defaults and fastText with its defaults and with word pairs
(``wordNgrams=2, lr=0.5, epoch=10``), each on the texts as they are and on the words and marks that
TextClassifier splits them into. Every training runs in a process of its own, on the same seeded
splits: a fifth of the texts is measured on, or the test file where there is one.

    python benchmarks/classify.py ../shared/data/labelled
"""

import argparse
import csv
import multiprocessing
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import train_test_split

Texts = list[str]


@dataclass(frozen=True)
class Result:
    accuracy: float
    macro_f1: float
    seconds: float
    megabytes: float


def read_csv(path: Path, label: str) -> tuple[Texts, Texts]:
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return [row["text"] for row in rows], [row[label] for row in rows]


def read_sms(path: Path) -> tuple[Texts, Texts]:
    lines = path.read_bytes().decode("utf-8").split("\n")
    pairs = [line.split("\t", 1) for line in lines if line]
    return [text for _, text in pairs], [label for label, _ in pairs]


def load(name: str, folder: Path, split: int) -> tuple[Texts, Texts, Texts, Texts]:
    """Training texts, test texts, training labels, test labels."""
    if name == "banking77":
        train_texts, train_labels = read_csv(folder / name / "train.csv", "category")
        test_texts, test_labels = read_csv(folder / name / "test.csv", "category")
        # The file is sorted by label, and fastText takes texts in the order that it gets them.
        order = np.random.default_rng(split).permutation(len(train_texts))
        shuffled = ([texts[i] for i in order] for texts in (train_texts, train_labels))
        train_texts, train_labels = shuffled
        return train_texts, test_texts, train_labels, test_labels
    if name == "sms":
        texts, labels = read_sms(folder / "sms.tsv")
    else:
        texts, labels = read_csv(folder / f"{name}.csv", "label")
    parts = train_test_split(texts, labels, test_size=0.2, stratify=labels, random_state=split)
    return tuple(parts)  # type: ignore[return-value]


def run_rowwise(texts: Texts, labels: Texts, test: Texts, split: int) -> tuple[Texts, float]:
    from rowwise import TextClassifier

    start = time.perf_counter()
    classifier = TextClassifier(random_state=split).fit(texts, labels)
    seconds = time.perf_counter() - start
    return classifier.predict(test).tolist(), seconds


def fasttext_runner(split_words: bool, **options: Any) -> Callable[..., tuple[Texts, float]]:
    def run(texts: Texts, labels: Texts, test: Texts, split: int) -> tuple[Texts, float]:
        import fasttext

        def prepared(text: str) -> str:
            from rowwise.classify.classifier import SPLITTER

            return " ".join(SPLITTER.split(text) if split_words else text.split())

        names = {label: f"__label__{i}" for i, label in enumerate(sorted(set(labels)))}
        labels_of = {name: label for label, name in names.items()}
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "train.txt"
            lines = [f"{names[y]} {prepared(x)}\n" for x, y in zip(texts, labels, strict=True)]
            path.write_text("".join(lines), encoding="utf-8")
            start = time.perf_counter()
            model = fasttext.train_supervised(
                str(path), seed=split, thread=os.cpu_count() or 1, verbose=0, **options
            )
            seconds = time.perf_counter() - start
        # The method `predict` of the package does not run on NumPy 2; what it calls does.
        found = [model.f.predict(prepared(text) + "\n", 1, 0.0, "strict") for text in test]
        return [labels_of[answer[0][1]] if answer else "" for answer in found], seconds

    return run


PAIRS: dict[str, Any] = {"wordNgrams": 2, "lr": 0.5, "epoch": 10}
METHODS: dict[str, Callable[..., tuple[Texts, float]]] = {
    "fastText, texts as they are": fasttext_runner(False),
    "fastText, texts as they are, pairs": fasttext_runner(False, **PAIRS),
    "fastText, split words": fasttext_runner(True),
    "fastText, split words, pairs": fasttext_runner(True, **PAIRS),
    "rowwise TextClassifier": run_rowwise,
}
FILES = ("sentences", "pros_cons", "sms", "banking77")


def measure(method: str, name: str, folder: Path, split: int) -> Result | None:
    """One training; None when it failed, as fastText's does now and then with NaN."""
    texts, test, labels, answers = load(name, folder, split)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        predicted, seconds = METHODS[method](texts, labels, test, split)
    except RuntimeError as error:
        if "NaN" not in str(error):
            raise
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return Result(
        100 * accuracy_score(answers, predicted),
        100 * f1_score(answers, predicted, average="macro", zero_division=0),
        seconds,
        (peak - before) / 1024,
    )


def standard_error(values: list[float]) -> float:
    return statistics.stdev(values) / len(values) ** 0.5 if len(values) > 1 else 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, help="folder with the labelled files")
    parser.add_argument("--splits", type=int, default=5)
    parser.add_argument("--files", nargs="+", default=list(FILES), choices=FILES)
    arguments = parser.parse_args()
    spawn = multiprocessing.get_context("spawn")
    best: dict[str, tuple[float, float]] = {}
    ours: dict[str, tuple[float, float]] = {}
    for name in arguments.files:
        print(f"\n{name}, {arguments.splits} splits (mean; accuracy with its standard error)")
        print(f"{'':36}{'accuracy':>15}{'macro F1':>10}{'train s':>9}{'peak MB':>9}")
        for method in METHODS:
            results: list[Result] = []
            for split in range(arguments.splits):
                with ProcessPoolExecutor(1, mp_context=spawn) as pool:
                    job = pool.submit(measure, method, name, arguments.folder, split)
                    results += [result for result in [job.result()] if result is not None]
            if not results:
                print(f"{method:36}{'failed with NaN':>15}", flush=True)
                continue
            accuracies = [result.accuracy for result in results]
            figures = (statistics.mean(accuracies), standard_error(accuracies))
            failed = arguments.splits - len(results)
            print(
                f"{method:36}{figures[0]:8.2f} ± {figures[1]:.2f}"
                f"{statistics.mean(r.macro_f1 for r in results):10.2f}"
                f"{statistics.mean(r.seconds for r in results):9.1f}"
                f"{statistics.mean(r.megabytes for r in results):9.0f}"
                + (f"  ({failed} failed with NaN)" if failed else ""),
                flush=True,
            )
            if method.startswith("rowwise"):
                ours[name] = figures
            else:
                best[name] = max(best.get(name, (0.0, 0.0)), figures)
    print("\nTextClassifier over the best of the four fastText settings, file by file:")
    gains = []
    for name in arguments.files:
        gain = ours[name][0] - best[name][0]
        error = (ours[name][1] ** 2 + best[name][1] ** 2) ** 0.5
        gains.append(gain)
        print(f"{name:12}{gain:+7.2f} points (standard error {error:.2f})")
    print(f"{'mean':12}{statistics.mean(gains):+7.2f} points")


if __name__ == "__main__":
    main()
