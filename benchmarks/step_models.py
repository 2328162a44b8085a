"""The models that ``step_cost.py`` trains, and their data."""

import os
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

EPOCH = 2_000  # steps, with one flush at the end


@dataclass(frozen=True)
class Case:
    """What is measured."""

    method: str
    """``stock``, Keras's own layer; ``exact``, ``auto``, rowwise's; ``torch``, SparseAdam with
    ``nn.Embedding``; ``bag``, the same with ``nn.EmbeddingBag``, which sums while it looks up."""
    rows: int
    head: str
    """``pooled``, the mean of a text's rows and Dense; or ``lstm``, LSTM(32) and Dense."""
    batch: int
    length: int
    columns: int = 100
    runs: int = 3
    seconds: float = 2.0
    """For one run, which has at most an epoch's steps."""
    save: bool = False
    """Save the model at the end, for its memory."""


def on_gpu() -> bool:
    return os.environ.get("JAX_PLATFORMS") == "cuda"


def wait_for_gpu() -> None:
    """Until torch's has done what it was given; for JAX something always reads a result."""
    if on_gpu() and "torch" in sys.modules:
        sys.modules["torch"].cuda.synchronize()


def zipf_ids(count: int, rows: int, seed: int = 0) -> np.ndarray:
    """``count`` int32 ids by Zipf's law.

    Of n rows, id k comes with chance log((k + 2) / (k + 1)) / log(n + 1): nearly its chance by
    1 / (k + 1), with sums that can be inverted.
    """
    rng = np.random.default_rng(seed)
    ids = np.empty(count, np.int32)
    for start in range(0, count, 1 << 20):
        some = ids[start : start + (1 << 20)]
        some[:] = np.exp(rng.random(len(some)) * np.log(rows + 1)) - 1
    return np.minimum(ids, rows - 1, out=ids)


def make_data(case: Case) -> tuple[np.ndarray, np.ndarray, float]:
    """Ids (texts, length), labels (texts, 1), and how many different ids a batch has."""
    texts = EPOCH * case.batch
    ids = zipf_ids(texts * case.length, case.rows).reshape(texts, case.length)
    labels = np.random.default_rng(1).integers(0, 2, (texts, 1)).astype("float32")
    batches = [ids[i * case.batch : (i + 1) * case.batch] for i in range(50)]
    return ids, labels, statistics.mean(len(np.unique(batch)) for batch in batches)


class KerasModel:
    """Stock Keras's model, or rowwise's."""

    def __init__(self, case: Case, ids: np.ndarray, labels: np.ndarray) -> None:
        self._case, self._ids, self._labels = case, ids, labels
        self._ours = case.method != "stock"
        if self._ours:  # first, since rowwise chooses the backend
            import rowwise
        import keras

        keras.utils.set_random_seed(0)
        size = (case.rows, case.columns)
        if self._ours:
            pooled = case.head == "pooled"
            layer = rowwise.layers.EmbedReduce if pooled else rowwise.layers.Embedding
            body = [layer(*size, updates=case.method)]
        else:
            body = [keras.layers.Embedding(*size)]
            if case.head == "pooled":
                body.append(keras.layers.GlobalAveragePooling1D())
        self._table = body[0]
        if case.head == "lstm":
            body.append(keras.layers.LSTM(32))
        body += [keras.layers.Dense(1, activation="sigmoid")]
        sequential = rowwise.Sequential if self._ours else keras.Sequential
        self.model = sequential([keras.Input((case.length,), dtype="int32"), *body])
        self.model.compile("adam", "binary_crossentropy")
        # Made in the background, with memory of its own: that is not training's.
        getattr(self._table.embeddings.value, "block_until_ready", lambda: None)()

    def fit(self, steps: int) -> None:
        texts = steps * self._case.batch
        self.model.fit(
            self._ids[:texts],
            self._labels[:texts],
            batch_size=self._case.batch,
            shuffle=False,
            verbose=0,
        )
        wait_for_gpu()

    def flush(self) -> None:
        if self._ours:
            self.model.make_tables_current()
            table = self._table.table.value
            getattr(table, "block_until_ready", lambda: None)()
            wait_for_gpu()

    def save(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            self.model.save(Path(folder) / "model.keras")

    @property
    def how(self) -> str:
        return str(self.model.table_updates()[0].how) if self._ours else "dense"


class TorchModel:
    """Plain torch: a table with sparse gradients under SparseAdam, the rest under Adam."""

    how = "lazy"

    def __init__(self, case: Case, ids: np.ndarray, labels: np.ndarray) -> None:
        import torch

        torch.manual_seed(0)
        self._case, self._device = case, "cuda" if on_gpu() else "cpu"
        self._ids, self._labels = torch.from_numpy(ids), torch.from_numpy(labels)
        size = (case.rows, case.columns)
        self._lstm: Any = None
        if case.method == "bag":
            self._table: Any = torch.nn.EmbeddingBag(*size, mode="mean", sparse=True)
        else:
            self._table = torch.nn.Embedding(*size, sparse=True)
        if case.head == "lstm":
            self._lstm = torch.nn.LSTM(case.columns, 32, batch_first=True).to(self._device)
        self._table = self._table.to(self._device)
        width = case.columns if self._lstm is None else 32
        self._dense = torch.nn.Linear(width, 1).to(self._device)
        others = [*self._dense.parameters(), *(self._lstm.parameters() if self._lstm else [])]
        self._optimizers = [
            torch.optim.SparseAdam(list(self._table.parameters())),
            torch.optim.Adam(others),
        ]
        self._loss = torch.nn.BCEWithLogitsLoss()

    def fit(self, steps: int) -> None:
        for start in range(0, steps * self._case.batch, self._case.batch):
            ids = self._ids[start : start + self._case.batch].to(self._device)
            labels = self._labels[start : start + self._case.batch].to(self._device)
            rows = self._table(ids)
            if self._lstm is not None:
                text = self._lstm(rows)[0][:, -1]
            else:
                text = rows if self._case.method == "bag" else rows.mean(1)
            loss = self._loss(self._dense(text), labels)
            for optimizer in self._optimizers:
                optimizer.zero_grad()
            loss.backward()
            for optimizer in self._optimizers:
                optimizer.step()
        loss.item()
        wait_for_gpu()

    def flush(self) -> None:
        """Nothing: rows at rest stay as they are."""

    def save(self) -> None:
        raise NotImplementedError
