"""What processes do that train together; a script that is one of them.

``python process_cases.py RANK COUNT FOLDER GROUP``: process RANK of COUNT runs the cases of a GROUP
and writes what came out into FOLDER.
"""

import json
import os
import sys
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch.distributed as dist
from twins import numpy_of

import rowwise
from rowwise.backend import _torch_processes, keras
from rowwise.errors import RowwiseError
from rowwise.layers import Embedding, EmbedReduce
from rowwise.training import load_checkpoint

ROWS, COLUMNS, LENGTH, BATCH, BATCHES = 30, 3, 4, 8, 6
# Of each batch of eight, so many examples are process 0's; process 1 has the others.
FIRST = 3
GENERATOR = np.random.default_rng(0)
IDS = (ROWS * GENERATOR.random((BATCH * BATCHES, LENGTH)) ** 2).astype("int32")
TARGETS = GENERATOR.normal(size=(len(IDS), 1)).astype("float32")
FIT: dict[str, Any] = {"epochs": 2, "shuffle": False, "verbose": 0}


def part_of(rank: int | None, array: Any, first: int = FIRST) -> Any:
    """Process ``rank``'s part of each batch of an array; all of it for None."""
    if rank is None:
        return array
    part = slice(0, first) if rank == 0 else slice(first, BATCH)
    return np.concatenate([batch[part] for batch in np.split(array, len(array) // BATCH)])


def size_of(rank: int | None) -> int:
    return BATCH if rank is None else (FIRST, BATCH - FIRST)[rank]


def finished(rank: int | None, table: Any, optimizer: Any, *others: Any, head: Any = None) -> Any:
    model = rowwise.Sequential(
        [
            keras.Input((LENGTH,), dtype="int32"),
            table,
            *([] if isinstance(table, EmbedReduce) else [keras.layers.Flatten()]),
            *others,
            head or keras.layers.Dense(1, name="out"),
        ]
    )
    model.compile(optimizer, "mse")
    return model


def seeded(rank: int | None) -> None:
    """Let each process make other weights, which it is to give up."""
    keras.utils.set_random_seed(1 + (rank or 0))


def trained(rank: int | None, model: Any, ids: Any = IDS, **options: Any) -> list[Any]:
    """Weights, what the optimizer keeps, and losses, after training on this process's part."""
    history = model.fit(
        part_of(rank, ids),
        part_of(rank, TARGETS),
        batch_size=size_of(rank),
        **{**FIT, **{name: part_of(rank, value) for name, value in options.items()}},
    )
    return [*state_of(model), np.asarray(history.history["loss"])]


def state_of(model: Any) -> list[Any]:
    return [*model.get_weights(), *map(numpy_of, model.optimizer.variables)]


Case = Callable[[int | None], list[Any]]

OPTIMIZERS: dict[str, Callable[[], Any]] = {
    "momentum": lambda: keras.optimizers.SGD(0.1, momentum=0.9),
    "adam": lambda: keras.optimizers.Adam(0.05),
    "adamw": lambda: keras.optimizers.AdamW(0.05, weight_decay=0.1),
    "adagrad": lambda: keras.optimizers.Adagrad(0.1),
    "global norm": lambda: keras.optimizers.Adam(0.05, global_clipnorm=0.1),
    "norm": lambda: keras.optimizers.SGD(0.3, clipnorm=0.05),
    "scaled": lambda: keras.optimizers.LossScaleOptimizer(
        keras.optimizers.Adam(0.05), initial_scale=2.0**7, dynamic_growth_steps=4
    ),
    "schedule": lambda: keras.optimizers.Adam(
        keras.optimizers.schedules.ExponentialDecay(0.1, 3, 0.5)
    ),
}
WAYS = ("exact", "lazy", "dense")


def simple(optimizer: str, updates: str, layer: Any = Embedding, **options: Any) -> Case:
    def case(rank: int | None, ids: Any = IDS) -> list[Any]:
        seeded(rank)
        table = layer(ROWS, COLUMNS, updates=updates, name="words", **options)
        model = finished(rank, table, OPTIMIZERS[optimizer]())
        result = trained(rank, model, ids)
        assert [one.how for one in model.table_updates()] == [updates]
        return result

    return case


def on_ids(ids: Any, updates: str = "exact") -> Case:
    return lambda rank: simple("adam", updates)(rank, ids)  # type: ignore[call-arg]


def two_tables(rank: int | None) -> list[Any]:
    """One is looked up twice, one trains densely, and one is frozen; two layers are regularised."""
    seeded(rank)
    ids = keras.Input((LENGTH,), dtype="int32")
    words = Embedding(ROWS, COLUMNS, updates="exact")
    still = Embedding(ROWS, COLUMNS, trainable=False)
    found = [words(ids), words(keras.ops.flip(ids, 1)), still(ids)]
    found.append(Embedding(ROWS, COLUMNS, embeddings_regularizer="l2")(ids))
    found.append(EmbedReduce(ROWS, COLUMNS, combiner="sqrtn", updates="exact")(ids))
    features = keras.layers.Concatenate()([keras.layers.Flatten()(one) for one in found])
    outputs = keras.layers.Dense(1, kernel_regularizer="l2")(features)
    model = rowwise.Model(ids, outputs)
    model.compile(OPTIMIZERS["adamw"](), "mse")
    return trained(rank, model)


def weighted(rank: int | None) -> list[Any]:
    seeded(rank)
    model = finished(rank, Embedding(ROWS, COLUMNS, updates="exact"), "adam")
    return trained(rank, model, sample_weight=np.linspace(0, 2, len(IDS)).astype("float32"))


def without_tables(rank: int | None) -> list[Any]:
    seeded(rank)
    model = rowwise.Sequential([keras.Input((LENGTH,)), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    return trained(rank, model, IDS.astype("float32") / ROWS)


def one_by_one(rank: int | None) -> list[Any]:
    """By `train_on_batch`."""
    seeded(rank)
    model = finished(rank, Embedding(ROWS, COLUMNS, updates="exact"), OPTIMIZERS["momentum"]())
    ids, targets, size = part_of(rank, IDS), part_of(rank, TARGETS), size_of(rank)
    losses = []
    for start in range(0, len(ids), size):
        batch = slice(start, start + size)
        losses.append(model.train_on_batch(ids[batch], targets[batch]))
        if start == 2 * size and rank != 1:
            model.get_weights()  # one process reads, and the others do not notice
    return [*state_of(model), np.asarray(losses)]


def longer(rank: int | None) -> list[Any]:
    """The last batches of an epoch are shorter, and longer than the first."""
    seeded(rank)
    model = finished(rank, Embedding(ROWS, COLUMNS, updates="exact"), "adam")
    sizes = (2, 16, 1, 21)  # of process 0 the first half, rounded up
    starts = np.cumsum((0, *sizes))
    for start, size in zip(starts, sizes, strict=False):
        middle = start + (size + 1) // 2
        end = start + max(size, 2)
        part = {None: slice(start, end), 0: slice(start, middle), 1: slice(middle, end)}[rank]
        model.fit(IDS[part], TARGETS[part], batch_size=64, verbose=0)
    return state_of(model)


def apart(rank: int | None) -> list[Any]:
    """What is added up goes in messages of its own, as large tensors do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_torch_processes, "LARGE", 4)
        return simple("adam", "exact")(rank)


HALVES = np.where(np.arange(BATCH) < FIRST, 0, ROWS // 2)
CASES: dict[str, Case] = {
    **{f"{name}, {way}": simple(name, way) for name in OPTIMIZERS for way in WAYS},
    **{f"reduced, {way}": simple("adam", way, EmbedReduce) for way in WAYS},
    **{
        f"resting, {way}": simple(
            "adamw", way, zero_padding=True, trainable_rows=np.arange(ROWS) % 3 != 1
        )
        for way in WAYS
    },
    "no row in both": on_ids(IDS // 2 + np.tile(HALVES, BATCHES)[:, None].astype("int32")),
    "the same row": on_ids(np.full_like(IDS, 7)),
    "the same rows, lazy": on_ids(np.tile(IDS[:1], (len(IDS), 1)), "lazy"),
    "two tables": two_tables,
    "messages apart": apart,
    "sample weights": weighted,
    "without tables": without_tables,
    "train_on_batch": one_by_one,
    "other sizes": longer,
}


def said(function: Callable[[], Any]) -> str:
    """The error that a function raises, as its class and its words."""
    try:
        function()
    except RowwiseError as error:
        return f"{type(error).__name__}: {error}"
    return "nothing"


class Fails(keras.callbacks.Callback):
    """Ends ``fit`` by an error, or the process."""

    def __init__(self, batch: int, exit: bool = False) -> None:
        super().__init__()
        self.batch, self.exit = batch, exit

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if batch == self.batch:
            if self.exit:
                os._exit(3)
            raise RowwiseError("a callback failed")


class Breaks(keras.layers.Layer):
    """In training, fails the first time when it is ``broken``."""

    broken = False

    def call(self, inputs: Any, training: bool = False) -> Any:
        if training and self.broken:
            self.broken = False
            raise RowwiseError("a layer failed")
        return inputs


def plain(updates: str = "exact", rows: int = ROWS) -> Any:
    keras.utils.set_random_seed(1)
    return finished(None, Embedding(rows, COLUMNS, updates=updates, name="words"), "adam")


def fit(rank: int, model: Any, ids: Any = IDS, **options: Any) -> Callable[[], Any]:
    given = {"batch_size": size_of(rank), **FIT, **options}
    return lambda: model.fit(part_of(rank, ids), part_of(rank, TARGETS), **given)


def with_bad(rank: int, row: int) -> Any:
    ids = IDS.copy()
    if rank == 1:
        ids[row + FIRST, 1] = ROWS + 5
    return ids


def errors(rank: int) -> dict[str, Any]:
    """Everything that goes wrong, one after another, in processes that go on."""
    result: dict[str, Any] = {}
    for updates in ("exact", "dense"):
        model, expected = plain(updates), plain(updates)
        fit(rank, expected, epochs=1, steps_per_epoch=2)()
        result[f"bad id, {updates}"] = said(fit(rank, model, with_bad(rank, 2 * BATCH), epochs=1))
        pairs = zip(state_of(model), state_of(expected), strict=True)
        result[f"unharmed, {updates}"] = all(np.array_equal(*pair) for pair in pairs)

    model = plain()
    batch = slice(None, size_of(rank))
    ids, targets = part_of(rank, with_bad(rank, 0))[batch], part_of(rank, TARGETS)[batch]
    result["bad id in train_on_batch"] = said(lambda: model.train_on_batch(ids, targets))
    reading = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: model.get_weights() if rank == 0 else None
    )
    result["bad id read early"] = said(
        fit(rank, model, with_bad(rank, 0), callbacks=[reading], epochs=1)
    )
    result["fewer batches"] = said(fit(rank, model, steps_per_epoch=(3, 5)[rank]))
    result["fewer epochs"] = said(fit(rank, model, epochs=(2, 1)[rank]))
    result["another rate"] = said(
        fit(
            rank, model, callbacks=[keras.callbacks.LearningRateScheduler(lambda _: 1 / (2 + rank))]
        )
    )
    model.optimizer.learning_rate = 0.01
    result["another model"] = said(fit(rank, plain(rows=ROWS + rank)))
    other = plain()
    other.compile(keras.optimizers.Adam(beta_1=0.5 if rank else 0.9), "mse")
    result["compiled otherwise"] = said(fit(rank, other))
    result["a callback failed"] = said(fit(rank, model, callbacks=[Fails(2)] if rank else []))
    result["sum, a callback failed"] = float(np.abs(model.get_weights()[0]).sum())
    layer = Breaks()
    breaking = keras.callbacks.LambdaCallback(
        on_train_batch_begin=lambda batch, logs: setattr(layer, "broken", rank == 1 and batch == 2)
    )
    breakable = finished(None, Embedding(ROWS, COLUMNS, updates="exact"), "adam", layer)
    result["a layer failed"] = said(fit(rank, breakable, callbacks=[breaking]))
    result["sum, a layer failed"] = float(np.abs(breakable.get_weights()[0]).sum())
    if rank:
        model.layers[0].set_weights([np.zeros((ROWS, COLUMNS))])
    result["afterwards"] = said(fit(rank, model))
    result["sum"] = float(np.abs(model.get_weights()[0]).sum())
    return result


def killed(rank: int) -> dict[str, Any]:
    """The last process ends in the middle of an epoch."""
    model = plain()
    last = rank == dist.get_world_size() - 1
    ending = [Fails(2, exit=True)] if last else []
    return {
        "error": said(
            lambda: model.fit(IDS, TARGETS, batch_size=8, callbacks=ending, verbose=0, epochs=1)
        )
    }


def counting(collectives: dict[str, list[int]]) -> None:
    """Let collectives note of how many numbers they are."""
    for name, place in (("all_gather", 1), ("all_reduce", 0), ("broadcast", 0)):
        setattr(dist, name, _counted(getattr(dist, name), name, place, collectives))


def _counted(original: Any, name: str, place: int, collectives: dict[str, list[int]]) -> Any:
    def call(*arguments: Any, **options: Any) -> Any:
        collectives.setdefault(name, []).append(arguments[place].numel())
        return original(*arguments, **options)

    return call


def others(rank: int, folder: Path) -> dict[str, Any]:
    """What travels, what is said, and what is not the same in all processes."""
    result: dict[str, Any] = {}
    collectives: dict[str, list[int]] = {}
    counting(collectives)
    for rows in (1_000, 100_000):
        model = plain(rows=rows)
        fit(rank, model, epochs=1)()
        collectives.clear()
        fit(rank, model, epochs=1)()
        result[f"sent, {rows}"] = {name: list(sizes) for name, sizes in collectives.items()}
    collectives.clear()
    model.get_weights()
    model.evaluate(IDS, TARGETS, verbose=0)
    result["sent by reading"] = dict(collectives)

    for updates in WAYS:
        model = plain(updates)
        fit(rank, model)()
        result[f"explained, {updates}"] = str(model.table_updates()[0])

    keras.utils.set_random_seed(1)
    drop = keras.layers.Dropout(0.5)
    norm = keras.layers.BatchNormalization()
    model = finished(None, Embedding(ROWS, COLUMNS, updates="exact"), "adam", norm, drop)
    fit(rank, model)()
    result["mask"] = keras.ops.convert_to_numpy(
        drop(np.ones(40, "float32"), training=True)
    ).tolist()
    if rank:
        model.layers[0].set_weights([np.zeros((ROWS, COLUMNS), "float32")])
    fit(rank, model)()
    result["after a write in one"] = float(np.abs(model.get_weights()[0]).sum())
    result["seed"] = np.asarray(numpy_of(drop.seed_generator.state)).tolist()
    result["statistics"] = [numpy_of(norm.moving_mean).tolist(), numpy_of(norm.gamma).tolist()]

    auto = finished(None, Embedding(2_000, COLUMNS, name="words"), "adam")
    fit(rank, auto, IDS if rank else IDS // 2)()
    result["auto"] = str(auto.table_updates()[0])

    model, again = plain(), plain()
    fit(rank, model, callbacks=[rowwise.Checkpoints(folder / "run", every=5, keep=1)])()
    step = load_checkpoint(again, folder / "run")
    fit(rank, again, epochs=1)()
    result["checkpoint"] = [step, float(np.abs(again.get_weights()[0]).sum())]
    return result


def main() -> None:
    rank, count, folder, group = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]), sys.argv[4]
    alone = None
    if group == "others":  # has trained alone before
        alone = plain()
        alone.fit(IDS[:BATCH], TARGETS[:BATCH], **FIT)
        before = str(alone.table_updates()[0])
    dist.init_process_group(
        "gloo",
        init_method=f"file://{folder / 'store'}",
        rank=rank,
        world_size=count,
        timeout=timedelta(seconds=60),
    )
    if group == "cases":
        arrays = {
            f"{name}/{number:02}": array
            for name, case in CASES.items()
            for number, array in enumerate(case(rank))
        }
        np.savez(folder / f"{rank}.npz", **arrays)
        return
    groups = {"errors": errors, "killed": killed, "others": partial(others, folder=folder)}
    result = groups[group](rank)
    if alone is not None:
        fit(rank, alone)()
        result["alone"] = [before, str(alone.table_updates()[0])]
        result["alone, sum"] = float(np.abs(alone.get_weights()[0]).sum())
    (folder / f"{rank}.json").write_text(json.dumps(result))


if __name__ == "__main__":
    main()
