"""Batches of files: every example once an epoch, and the same ones whoever asks for them."""

import csv
import math
import pickle
import subprocess
import sys
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowwise import Sequential, TextDataset, Tokenizer, Vocabulary
from rowwise.backend import keras
from rowwise.errors import DataFileError, InvalidArgumentError, InvalidTextError
from rowwise.layers import EmbedReduce
from rowwise.text import ExampleFiles, Splitter
from rowwise.text.indexed import rows, windows
from rowwise.text.indexed.windows import Padding, window_of

WORDS = Vocabulary(f"w{i}" for i in range(2000))


def write(path: Path, examples: int) -> Path:
    """Example i has the word i and some more, label i % 3, and weight i."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("text", "label", "weight"))
        writer.writerows((f"w{i} w1,\nw{i % 5} " * 2, "abc"[i % 3], i) for i in range(examples))
    return path


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "BLOCK_BYTES", 200)


@pytest.fixture
def path(tmp_path: Path, small_blocks: None) -> Path:
    return write(tmp_path / "a.csv", 500)


def dataset_of(path: Path | ExampleFiles, **options: Any) -> TextDataset:
    columns = {} if isinstance(path, ExampleFiles) else {"text": "text", "label": "label"}
    defaults = {"max_length": 4, "window_bytes": 4000, "batch_size": 16}
    return TextDataset(path, WORDS, **columns, **(defaults | options))


def examples_in(dataset: TextDataset) -> list[int]:
    """The numbers of the examples, in the order in which they come."""
    return [int(id) - 2 for batch in dataset for id in batch[0][:, 0]]


@given(
    count=st.integers(1, 60),
    block=st.integers(1, 400),
    window=st.integers(1, 1000),
    batch=st.integers(1, 70),
    seed=st.integers(0, 3),
    shuffle=st.booleans(),
)
def test_every_example_comes_once_an_epoch(
    tmp_path_factory: pytest.TempPathFactory,
    count: int,
    block: int,
    window: int,
    batch: int,
    seed: int,
    shuffle: bool,
) -> None:
    path = write(tmp_path_factory.mktemp("any") / "a.csv", count)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows, "BLOCK_BYTES", block)
        dataset = dataset_of(
            path,
            batch_size=batch,
            window_bytes=window,
            seed=seed,
            shuffle=shuffle,
            workers=0,
        )
        assert len(dataset) == math.ceil(count / batch)
        for epoch in range(2):
            assert dataset.epoch == (epoch if shuffle else dataset.epoch)
            found = examples_in(dataset)
            assert sorted(found) == list(range(count))
            assert shuffle or found == list(range(count))
            labels = np.concatenate([labels for _, labels in dataset])
            assert labels.tolist() == [number % 3 for number in found]
            dataset.on_epoch_end()


def test_what_a_batch_is(path: Path) -> None:
    dataset = TextDataset(
        path,
        WORDS,
        text="text",
        label="label",
        weight="weight",
        max_length=5,
        batch_size=3,
        shuffle=False,
    )
    ids, labels, weights = dataset[1]
    assert (ids.dtype, labels.dtype, weights.dtype) == (np.int32, np.int32, np.float32)
    assert ids.tolist() == [[i + 2, 3, i % 5 + 2, i + 2, 3] for i in (3, 4, 5)]
    assert (labels.tolist(), weights.tolist()) == ([0, 1, 2], [3, 4, 5])
    assert dataset.classes == ("a", "b", "c")
    (alone,) = TextDataset(path, WORDS, text="text", max_length=2, shuffle=False)[0]
    assert alone.shape == (32, 2)
    last = dataset[len(dataset) - 1]
    assert len(last[0]) == 500 % 3
    assert repr(dataset).startswith("<TextDataset: 167 batches of 3, <ExampleFiles: 500 texts")


@pytest.mark.parametrize("side", ["pre", "post"])
def test_ids_are_those_of_the_tokenizer(path: Path, side: str) -> None:
    tokenizer = Tokenizer(num_words=100, oov_token="?")
    tokenizer.fit_files(path, text="text")
    files = ExampleFiles(path, text="text")
    dataset = TextDataset(
        files, tokenizer, max_length=5, shuffle=False, padding=side, truncating=side
    )
    texts = [text for block in files.blocks() for text in block.texts]
    expected = tokenizer.encode(texts, max_length=5, padding=side, truncating=side).ids
    assert np.array_equal(np.concatenate([ids for (ids,) in dataset]), expected)


def test_a_splitter_for_a_vocabulary(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text\nw1w2\n")
    vocabulary = Vocabulary(["w", "1", "2"])
    dataset = TextDataset(
        tmp_path / "a.csv",
        vocabulary,
        text="text",
        max_length=5,
        splitter=Splitter(char_level=True),
    )
    assert dataset[0][0].tolist() == [[2, 3, 2, 4, 0]]


def test_each_epoch_and_each_seed_has_its_order(path: Path) -> None:
    first, same, other = (dataset_of(path, seed=seed) for seed in (1, 1, 2))
    orders = []
    for _ in range(3):
        orders.append(examples_in(first))
        assert examples_in(same) == orders[-1]
        assert examples_in(other) != orders[-1]
        for dataset in (first, same, other):
            dataset.on_epoch_end()
    assert len(set(map(tuple, orders))) == 3
    # Near one another in the file is not near in the epoch, and windows reach over all of it.
    distances = np.abs(np.diff(orders[0]))
    assert np.median(distances) > 50


def test_a_batch_depends_on_nothing_that_was_asked_before(path: Path) -> None:
    dataset = dataset_of(path, workers=0)
    expected = list(dataset)
    asked = np.random.default_rng(0).permutation(len(dataset))
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        for index in asked.tolist():
            for one, other in zip(dataset[index], expected[index], strict=True):
                assert np.array_equal(one, other)


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_threads_get_the_same_and_share_windows(
    path: Path, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = list(dataset_of(path))
    dataset = dataset_of(path, workers=workers)
    made: list[Any] = []
    make = dataset._store._make
    monkeypatch.setattr(dataset._store, "_make", lambda key: (made.append(key), make(key))[1])
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(dataset.__getitem__, range(len(dataset))))
    for one, other in zip(found, expected, strict=True):
        assert all(map(np.array_equal, one, other))
    assert len(set(made)) > 5
    # A thread that falls far behind may need one once more.
    assert len(made) < 2 * len(set(made))


IN_ANOTHER_PROCESS = """
import pickle, sys
dataset = pickle.loads(sys.stdin.buffer.read())
dataset.resume(*map(int, sys.argv[1:]))
sys.stdout.buffer.write(pickle.dumps([dataset[i] for i in range(len(dataset))]))
"""


def elsewhere(dataset: TextDataset, step: int, epoch: int) -> list[Any]:
    done = subprocess.run(
        [sys.executable, "-c", IN_ANOTHER_PROCESS, str(step), str(epoch)],
        input=pickle.dumps(dataset),
        stdout=subprocess.PIPE,
        check=True,
    )
    found: list[Any] = pickle.loads(done.stdout)
    return found


def test_another_process_goes_on_with_the_very_next_batches(path: Path) -> None:
    dataset = dataset_of(path)
    dataset.resume(0, epoch=1)
    whole = list(dataset)
    rest = elsewhere(dataset_of(path), 11, 1)
    assert len(rest) == len(whole) - 11
    for one, other in zip(rest, whole[11:], strict=True):
        assert all(map(np.array_equal, one, other))


def test_resuming_counts_steps_over_epochs(path: Path) -> None:
    dataset = dataset_of(path)
    steps = dataset.steps_per_epoch
    dataset.resume(2 * steps + 5)
    assert (dataset.epoch, len(dataset)) == (2, steps - 5)
    rest = examples_in(dataset)
    dataset.on_epoch_end()
    assert (dataset.epoch, len(dataset)) == (3, steps)
    dataset.resume(0, epoch=2)
    assert examples_in(dataset)[5 * 16 :] == rest
    with pytest.raises(IndexError, match=f"There are {steps} batches"):
        dataset[steps]
    for wrong in (-1, 1.5, True):
        with pytest.raises(InvalidArgumentError, match="`step` must be a whole number"):
            dataset.resume(wrong)


def small_model() -> Any:
    keras.utils.set_random_seed(0)
    model = Sequential(
        [EmbedReduce(WORDS, 4, input_length=4), keras.layers.Dense(3, activation="softmax")]
    )
    model.compile(keras.optimizers.Adam(0.05), "sparse_categorical_crossentropy")
    return model


class Recorder(TextDataset):
    """Notes the epoch and the step of each batch."""

    def __getitem__(self, index: int) -> Any:
        vars(self).setdefault("asked", []).append((self.epoch, index))
        return super().__getitem__(index)


def test_fit_goes_through_one_epoch_after_the_other(path: Path) -> None:
    files = ExampleFiles(path, text="text", label="label")
    dataset = Recorder(files, WORDS, max_length=4, batch_size=64, seed=3)
    test = dataset_of(path, shuffle=False)
    model = small_model()
    model.fit(dataset, validation_data=test, epochs=2, shuffle=False, verbose=0)
    model.fit(dataset, epochs=1, shuffle=False, verbose=0)
    epochs = [(epoch, step) for epoch in range(3) for step in range(len(dataset))]
    # Keras may look at the first batch before it begins.
    assert dataset.asked[-len(epochs) :] == epochs
    assert set(dataset.asked[: -len(epochs)]) <= {(0, 0)}
    assert model.evaluate(test, verbose=0) > 0
    assert model.predict(TextDataset(path, WORDS, text="text", max_length=4), verbose=0).shape == (
        500,
        3,
    )


def test_a_model_learns_from_it(path: Path) -> None:
    training, validation = dataset_of(path, batch_size=32).split(0.2, seed=1)
    assert len(validation.files) == 99  # 33 of each label
    assert not set(examples_in(training)) & set(examples_in(validation))
    assert examples_in(validation) == sorted(examples_in(validation))
    model = small_model()
    history = model.fit(training, epochs=10, shuffle=False, verbose=0).history["loss"]
    assert history[-1] < history[0] - 0.2


def test_that_keras_shuffles_once_more_is_said(path: Path) -> None:
    dataset = dataset_of(path, batch_size=2, window_bytes=500)
    with pytest.warns(UserWarning, match="shuffle=False"):
        small_model().fit(dataset, verbose=0)
    # All in one window: nothing to say.
    small_model().fit(dataset_of(path, window_bytes=10**6), verbose=0)


def test_a_file_that_changes_while_it_is_read(path: Path) -> None:
    dataset = dataset_of(path)
    path.write_text("text,label\nother,a\n")
    for _ in range(2):
        with pytest.raises(DataFileError, match=r"a\.csv': the file has changed"):
            dataset[0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_length": 0}, "`max_length` must be a whole number of at least 1. Received: 0"),
        ({"batch_size": 2.5}, "`batch_size` must be a whole number"),
        ({"window_bytes": None}, "`window_bytes` must be a whole number"),
        ({"workers": -1}, "`workers` must be a whole number of at least 0"),
        ({"seed": -1}, "`seed` must be a whole number"),
        ({"padding": "left"}, "`padding` must be 'pre' or 'post'"),
        ({"text": None}, "give `text`"),
        ({"label": None, "weight": "weight"}, "give `label`, too"),
    ],
)
def test_arguments_without_sense(path: Path, options: dict[str, Any], message: str) -> None:
    given = {"text": "text", "label": "label", "max_length": 4} | options
    with pytest.raises(InvalidArgumentError, match=message):
        TextDataset(path, WORDS, **given)


@pytest.mark.parametrize(
    ("tokenizer", "options", "message"),
    [
        (Tokenizer(), {}, "fit it first"),
        (len, {}, "must be a Tokenizer or a Vocabulary"),
        (WORDS, {"text": "text"}, "`text` goes with paths"),
        (Tokenizer(), {"splitter": Splitter()}, "`splitter` cuts texts for a Vocabulary"),
    ],
)
def test_tokenizers_without_sense(
    path: Path, tokenizer: Any, options: dict[str, Any], message: str
) -> None:
    files = ExampleFiles(path, text="text")
    with pytest.raises(InvalidArgumentError, match=message):
        TextDataset(files, tokenizer, max_length=4, **options)


def test_an_error_in_a_thread_is_raised_where_it_is_waited_for(path: Path) -> None:
    class Encoder:
        def encode(self, texts: list[str], **options: Any) -> Any:
            raise InvalidTextError("No.")

    dataset = TextDataset(path, Encoder(), text="text", max_length=4)
    with pytest.raises(InvalidTextError, match=r"No\."):
        dataset[0]


def test_windows_of_short_and_long_texts_are_encoded_in_parts(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = ExampleFiles(path, text="text")
    padding = Padding(4, "post", "post")
    encoder: Callable[..., Any] = dataset_of(files)._encoder

    def ids() -> Any:
        return window_of(files.blocks(), np.arange(500), encoder, padding).take(0, 500, padding)[0]

    whole = ids()
    monkeypatch.setattr(windows, "_CHARACTERS", 100)
    monkeypatch.setattr(windows, "_PADDED_IDS", 20)
    assert np.array_equal(ids(), whole)
