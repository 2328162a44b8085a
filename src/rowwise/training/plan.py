"""Which tables of a model train row-wise, and why the others do not."""

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from rowwise.backend import keras, rows, shards_of, trainer
from rowwise.backend.shards import TRAINS_ON_DEVICES, Shards
from rowwise.errors import InvalidArgumentError
from rowwise.layers import Embedding
from rowwise.layers.lookups import recording
from rowwise.training.catch_up import CatchUp, Lazy, find_catch_up
from rowwise.training.cost import dense_cost, prices_of, rowwise_cost
from rowwise.training.keras_seam import all_layers, decays, has_own_train_step
from rowwise.training.resting import check_resting_rows
from rowwise.training.split_optimizer import inner_optimizer
from rowwise.training.tapes import Lookups, SurveyTape
from rowwise.training.watching import noting_reads, watch

ops = keras.ops

# Values of ``updates`` that are an error where they are impossible.
FORCED = ("exact", "lazy")


@dataclass(frozen=True)
class Decision:
    """How a layer's table trains."""

    layer: Any
    how: str
    """``"exact"`` or ``"lazy"``, both row-wise; ``"dense"``; ``"frozen"``, not at all."""
    why: str
    form: CatchUp | None = None
    lookups: int = 0
    """Ids that a batch looks up."""

    def __str__(self) -> str:
        return f"{self.layer.name}: {self.how} ({self.why})"


@dataclass
class Survey:
    """What a training pass through a model does to some tables."""

    counts: dict[int, int]
    """For each variable, by ``id``, how many ids are looked up."""
    summed: dict[int, int]
    """The same, of those whose rows are summed as they are looked up."""
    reads: set[int]
    """Variables, by ``id``, that are read otherwise."""
    inner: set[int]
    """Variables, by ``id``, that are looked up inside an inner loop or function."""
    hidden: list[Any]
    """Layers that check ids there."""


def embedding_layers(model: Any) -> list[Any]:
    """The model's embedding layers whose tables can train row-wise."""
    return [layer for layer in all_layers(model) if isinstance(layer, Embedding)]


def of_stock_layers(model: Any) -> list[Decision]:
    """How the tables of Keras's own embedding layers in ``model`` train: never row-wise."""
    return [
        Decision(layer, "dense", "it is a layer of Keras; rowwise.convert makes it one of rowwise")
        if layer.trainable
        else Decision(layer, "frozen", "it is not trainable")
        for layer in all_layers(model)
        if isinstance(layer, keras.layers.Embedding) and not isinstance(layer, Embedding)
    ]


def decide(
    model: Any, state: Any, data: Any, capacity: int, totals: Callable[[list[int]], list[int]]
) -> tuple[list[Decision], list[Any]]:
    """How each table of ``model`` is to train on batches like ``data``, and hidden layers.

    Hidden are those inside loops or functions within the model, which no value may leave.

    Args:
        model: compiled, and built with its optimizer.
        state: the trainer's values.
        data: a batch, whose shapes are looked at.
        capacity: the most steps between two flushes.
        totals: sums of counts over all processes that train together, so that all decide alike.

    Raises:
        InvalidArgumentError: a layer forces a way that is impossible, and the message says why.
    """
    layers = embedding_layers(model)
    shards = {
        id(variable): shards_of(value)
        for variable, value in zip(model.trainable_variables, state[0], strict=True)
    }
    reasons = {
        id(layer): _why_dense(model, layer) or shards.get(id(layer.table), (None, ""))[1]
        for layer in layers
    }
    candidates = [layer for layer in layers if not reasons[id(layer)]]
    survey = _survey(model, [layer.table for layer in candidates], state, data)
    survey = _in_all(survey, [id(layer.table) for layer in candidates], totals)
    decisions = []
    for layer in layers:
        if not layer.table.trainable:
            decisions.append(Decision(layer, "frozen", "it is not trainable"))
            continue
        why = reasons[id(layer)] or _why_not_by_lookups(layer, survey)
        there = shards[id(layer.table)][0]
        decisions.append(_decision(model, layer, why, survey, capacity, there))
    return decisions, survey.hidden


def check_before_training(model: Any, capacity: int) -> None:
    """Raise what can be said before there is a batch.

    Args:
        model: compiled and built.
        capacity: the most steps between two flushes.

    Raises:
        InvalidArgumentError: a layer forces a way that is impossible, or has rows that cannot be
            kept from training.
    """
    layers = embedding_layers(model)
    check_resting_rows(model, layers)
    for layer in layers:
        if layer.updates in FORCED and layer.table.trainable:
            why = _why_before_training(model, layer, capacity)
            if why:
                raise _impossible(layer, why)


def preview(model: Any, capacity: int) -> list[Decision]:
    """What can be said of each table before there is a batch."""
    found = []
    for layer in embedding_layers(model):
        if not layer.table.trainable:
            found.append(Decision(layer, "frozen", "it is not trainable"))
        elif getattr(model, "optimizer", None) is None:
            found.append(Decision(layer, "undecided", "the model is not compiled"))
        else:
            why = _why_before_training(model, layer, capacity)
            how = "dense" if why else "undecided"
            found.append(Decision(layer, how, why or "the first batch of training decides"))
    return found


def _decision(
    model: Any, layer: Any, why: str, survey: Survey, capacity: int, shards: Shards | None
) -> Decision:
    wanted, count = layer.updates, survey.counts.get(id(layer.table), 0)
    form = None
    if not why:
        form, why = _form(model, layer, capacity)
    if why and wanted in FORCED:
        raise _impossible(layer, why)
    if why:
        return Decision(layer, "dense", why)
    row_count, where = layer.input_dim, ""
    if shards is not None:
        row_count //= shards.count
        where = (
            "; all rows on each device"
            if shards.count == 1
            else (f"; its rows are divided among {shards.count} devices")
        )
    if wanted == "lazy":
        asked = f"asked for: rows at rest stay as they are{where}"
        return Decision(layer, "lazy", asked, form, count)
    if wanted == "exact":
        return Decision(layer, "exact", f"asked for{where}", form, count)
    size = (row_count, layer.output_dim)
    assert rows is not None  # or there would be a reason to train densely
    prices = prices_of(keras.backend.backend(), rows.on_accelerator())
    dense = dense_cost(prices, *size, survey.summed.get(id(layer.table), 0))
    rowwise = rowwise_cost(prices, *size, count)
    compared = (
        f"{layer.input_dim:,} rows, {count:,} lookups a batch: row-wise is expected to take "
        f"{_times(rowwise / dense)} times as long as dense{where}"
    )
    if rowwise < dense:
        return Decision(layer, "exact", compared, form, count)
    return Decision(layer, "dense", compared)


def _impossible(layer: Any, why: str) -> InvalidArgumentError:
    return InvalidArgumentError(
        f'Layer {layer.name!r} asks for updates="{layer.updates}", which is impossible: {why}. '
        'Remove the reason, or use updates="auto", which then trains this table densely.'
    )


def _form(model: Any, layer: Any, capacity: int) -> tuple[CatchUp | None, str]:
    inner = inner_optimizer(model.optimizer)
    dtype = keras.backend.standardize_dtype(layer.table.dtype)
    form, why = find_catch_up(inner, decays(inner, layer.table), capacity, dtype)
    if form is not None and layer.updates == "lazy":
        return Lazy(capacity), ""
    return form, why


def _why_dense(model: Any, layer: Any) -> str:
    """Why a table cannot train row-wise, as far as its layer and optimizer tell; "" otherwise."""
    table, optimizer = layer.table, inner_optimizer(model.optimizer)
    checks = {
        'asked for by updates="dense"': layer.updates == "dense",
        f"on {keras.backend.backend()}, tables train densely": rows is None,
        "the model has a train_step of its own": has_own_train_step(model),
        "a keras.distribution is set": (
            keras.distribution.distribution() is not None and not TRAINS_ON_DEVICES
        ),
        "on several devices a model has to be compiled (run_eagerly, jit_compile)": (
            keras.distribution.distribution() is not None
            and (model.run_eagerly or not model.jit_compile)
        ),
        "a strategy of tf.distribute is set": trainer is not None and trainer.has_strategy(model),
        "it has a regularizer, which moves every row": table.regularizer is not None,
        "it has a constraint, which is applied to every row": table.constraint is not None,
        "the optimizer averages all weights (use_ema)": optimizer.use_ema,
        "the optimizer accumulates gradients": bool(optimizer.gradient_accumulation_steps),
    }
    return next((why for why, applies in checks.items() if applies), "")


def _why_before_training(model: Any, layer: Any, capacity: int) -> str:
    """Why a table cannot train row-wise, as far as that is known without a batch; "" otherwise."""
    return _why_dense(model, layer) or _form(model, layer, capacity)[1]


def _why_not_by_lookups(layer: Any, survey: Survey) -> str:
    table = id(layer.table)
    if table in survey.inner:
        return "it is looked up inside a loop or function of its own (RNN, scan, remat)"
    if table in survey.reads:
        return "the table is read otherwise than by lookups, for instance as tied output weights"
    if not survey.counts.get(table):
        return "nothing is looked up in it"
    return ""


def _in_all(survey: Survey, tables: list[int], totals: Callable[[list[int]], list[int]]) -> Survey:
    """``survey`` with the lookups of all processes."""
    names = [(table, of) for of in (survey.counts, survey.summed) for table in tables]
    found = totals([of.get(table, 0) for table, of in names])
    counts = dict(zip(tables, found[: len(tables)], strict=True))
    return replace(
        survey, counts=counts, summed=dict(zip(tables, found[len(tables) :], strict=True))
    )


def _survey(model: Any, tables: list[Any], state: Any, data: Any) -> Survey:
    """Go through a training pass without computing."""
    assert trainer is not None
    for table in tables:
        watch(table)
    batch = keras.utils.unpack_x_y_sample_weight(data)
    reads: set[int] = set()
    passes: list[Lookups] = []

    def go_through(state: Any, batch: Any, only: int | None = None) -> Any:
        tape = SurveyTape(tables, [])
        passes.append(tape.seen)
        with recording(tape), noting_reads(lambda variable: reads.add(id(variable))):
            trainer.loss_and_updates(model, state, *batch)
        found = [*tape.seen.ids, *(one.wrong for one in tape.seen.invalid)]
        # What cannot leave an inner function cannot be computed with out here.
        return [
            ops.cast(value, "int32") + 0 for value in (found if only is None else [found[only]])
        ]

    assert rows is not None
    inner: set[int] = set()
    hidden: list[Any] = []
    if rows.escapes(go_through, state, batch):
        variables, invalid = passes[0].variables, passes[0].invalid
        for number in range(len(variables) + len(invalid)):
            if not rows.escapes(partial(go_through, only=number), state, batch):
                continue
            if number < len(variables):
                inner.add(id(variables[number]))
            else:
                hidden.append(invalid[number - len(variables)].layer)
    found = passes[0]
    counts: Counter[int] = Counter()
    summed: Counter[int] = Counter()
    for variable, ids, reduced in zip(found.variables, found.ids, found.reduced, strict=True):
        counts[id(variable)] += math.prod(ids.shape)
        summed[id(variable)] += math.prod(ids.shape) if reduced else 0
    return Survey(counts, summed, reads, inner, hidden)


def _times(ratio: float) -> str:
    return f"{ratio:.2g}" if ratio < 10 else f"{ratio:.0f}"
