"""A bad id in training is an error that says where it is, and no weight is harmed by it."""

import re
from typing import Any

import numpy as np
import pytest
from twins import (
    COLUMNS,
    LENGTH,
    ON_TORCH,
    OURS,
    ROWS,
    STOCK,
    Kit,
    assert_close,
    assert_twins,
    batches,
    simple,
    state_of,
)

import rowwise
from rowwise.backend import keras
from rowwise.errors import InvalidIdError

IDS, TARGETS = batches(6)
FIT: dict[str, Any] = {"batch_size": 4, "shuffle": False, "verbose": 0}


def with_bad(row: int, value: Any, column: int = 2) -> Any:
    ids = IDS.astype(np.asarray(value).dtype if isinstance(value, float) else "int32")
    ids[row, column] = value
    return ids


def floating(updates: str = "exact", **layer: Any) -> Any:
    """A model that takes floats, so that bad ones reach the layer."""
    keras.utils.set_random_seed(1)
    inputs = keras.Input((LENGTH,), dtype="float32")
    rows = Kit(True, updates).embedding(name="words", **layer)(inputs)
    outputs = keras.layers.Dense(1, activation="sigmoid")(keras.ops.mean(rows, axis=1))
    model = rowwise.Model(inputs, outputs)
    model.compile("adam", "binary_crossentropy")
    return model


@pytest.fixture(scope="module")
def whole() -> Any:
    return simple(OURS)


@pytest.fixture(scope="module")
def fractional() -> Any:
    return floating()


BAD: list[tuple[str, Any, str]] = [
    ("whole", ROWS, "off by one"),
    ("whole", ROWS + 7, "larger vocabulary"),
    ("whole", -1, "-1 as a sign"),
    ("whole", -900, "overflow"),
    ("fractional", np.float32(np.nan), "numbers that are not ids"),
    ("fractional", np.float32(2.5), "numbers that are not ids"),
    ("fractional", np.float32(2.0**24), "float rounding"),
    ("fractional", np.float32(-1), "-1 as a sign"),
]


@pytest.mark.parametrize("batch", [0, 3, 5], ids=["first batch", "middle", "last batch"])
@pytest.mark.parametrize(("kind", "value", "cause"), BAD, ids=[str(case[1]) for case in BAD])
def test_the_error_names_everything_and_nothing_was_changed(
    kind: str, value: Any, cause: str, batch: int, request: pytest.FixtureRequest
) -> None:
    model = request.getfixturevalue(kind)
    model.optimizer.build(model.trainable_variables)
    start = state_of(model)
    dtype = "int32" if kind == "whole" else "float32"
    model.fit(IDS[: 4 * batch].astype(dtype), TARGETS[: 4 * batch], **FIT) if batch else None
    expected = state_of(model)
    restore(model, start)
    ids = IDS.astype(dtype)
    ids[4 * batch + 1, 2] = value
    with pytest.raises(InvalidIdError) as caught:
        model.fit(ids, TARGETS, **FIT)
    message = str(caught.value)
    assert "'words'" in message
    assert f"Received: {value.item() if hasattr(value, 'item') else value} at position (1, 2)" in (
        message
    )
    assert "(1 of 16 ids are invalid)" in message
    assert cause in message
    assert f"in batch {batch} of the epoch" in message
    assert_close(state_of(model), expected, 0.0)
    model.fit(IDS[: 4 * batch + 4].astype(dtype), TARGETS[: 4 * batch + 4], **FIT)
    assert not np.array_equal(state_of(model)[0], expected[0])


def restore(model: Any, state: list[Any]) -> None:
    count = len(model.weights)
    model.set_weights(state[:count])
    for variable, value in zip(model.optimizer.variables, state[count:], strict=True):
        variable.assign(value)


class Epochs(keras.utils.PyDataset):
    """Whose ids turn bad in one batch of one epoch."""

    def __init__(self, epoch: int, batch: int) -> None:
        super().__init__()
        self.epoch, self.bad = 0, (epoch, batch)

    def __len__(self) -> int:
        return 6

    def __getitem__(self, index: int) -> Any:
        ids = IDS[4 * index : 4 * index + 4].copy()
        if (self.epoch, index) == self.bad:
            ids[3, 0] = 99
        return ids, TARGETS[4 * index : 4 * index + 4]


@pytest.mark.parametrize(("epoch", "batch"), [(0, 5), (1, 0), (2, 5)])
def test_an_epoch_does_not_end_before_its_bad_ids_are_told(
    epoch: int, batch: int, whole: Any
) -> None:
    ended: list[int] = []
    data = Epochs(epoch, batch)
    counter = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: setattr(data, "epoch", epoch),
        on_epoch_end=lambda epoch, logs: ended.append(epoch),
    )
    with pytest.raises(InvalidIdError, match=rf"Received: 99 .*in batch {batch} of the epoch"):
        whole.fit(data, epochs=3, shuffle=False, callbacks=[counter], verbose=0)
    assert len(ended) <= epoch + 1
    whole.fit(IDS, TARGETS, **FIT)


def test_training_goes_on_as_if_the_bad_batch_had_not_been() -> None:
    ours, stock = simple(OURS), simple(STOCK)
    with pytest.raises(InvalidIdError):
        ours.fit(with_bad(13, 77), TARGETS, **FIT)
    stock.fit(IDS[:12], TARGETS[:12], **FIT)
    assert_twins(ours, stock)
    for model in (ours, stock):
        model.fit(IDS, TARGETS, epochs=2, **FIT)
    assert_twins(ours, stock)


def test_train_on_batch(whole: Any) -> None:
    whole.train_on_batch(IDS[:4], TARGETS[:4])
    before = state_of(whole)
    with pytest.raises(InvalidIdError, match=r"'words'.*Received: 30 at position \(2, 2\)"):
        whole.train_on_batch(with_bad(2, ROWS)[:4], TARGETS[:4])
    assert_close(state_of(whole), before, 0.0)
    whole.train_on_batch(IDS[:4], TARGETS[:4])
    assert not np.array_equal(state_of(whole)[0], before[0])


@pytest.mark.parametrize(
    "compiling",
    [
        # Keras has that elsewhere only.
        *([] if ON_TORCH else [{"steps_per_execution": 4}]),
        {"run_eagerly": True},
        {"jit_compile": False},
    ],
    ids=lambda compiling: next(iter(compiling)),
)
def test_in_every_way_to_run(compiling: dict[str, Any]) -> None:
    models = [simple(OURS, **compiling), simple(STOCK)]
    with pytest.raises(InvalidIdError, match="in batch 2 of the epoch"):
        models[0].fit(with_bad(9, -5), TARGETS, **FIT)
    models[1].fit(IDS[:8], TARGETS[:8], **FIT)
    assert_twins(*models)


@pytest.mark.parametrize("updates", ["dense", "auto"])
def test_in_a_table_that_trains_densely(updates: str) -> None:
    model = floating(updates)
    model.fit(IDS.astype("float32"), TARGETS, **FIT)
    before = state_of(model)
    ids = IDS.astype("float32")
    ids[2, 1] = np.nan
    with pytest.raises(InvalidIdError, match=r"'words'.*nan at position \(2, 1\).*batch 0"):
        model.fit(ids, TARGETS, **FIT)
    assert_close(state_of(model), before, 0.0)
    model.fit(IDS.astype("float32"), TARGETS, **FIT)


def two_tables(first: str = "exact", second: str = "exact") -> Any:
    keras.utils.set_random_seed(4)
    words, tags = (keras.Input((LENGTH,), dtype="int32", name=name) for name in ("w", "t"))
    joined = [
        keras.ops.mean(Kit(True, updates).embedding(rows, name=name)(ids), axis=1)
        for ids, rows, updates, name in (
            (words, ROWS, first, "words"),
            (tags, 7, second, "tags"),
        )
    ]
    output = keras.layers.Dense(1, activation="sigmoid")(keras.ops.concatenate(joined, axis=1))
    model = rowwise.Model([words, tags], output)
    model.compile("adam", "binary_crossentropy")
    return model


@pytest.mark.parametrize("ways", [("exact", "exact"), ("exact", "dense"), ("dense", "exact")])
@pytest.mark.parametrize("bad", [0, 1, 2])
def test_several_layers(ways: tuple[str, str], bad: int) -> None:
    model = two_tables(*ways)
    tags = IDS % 7
    model.fit([IDS, tags], TARGETS, **FIT)
    before = state_of(model)
    data = [IDS.copy(), tags.copy()]
    if bad in (0, 2):
        data[0][1, 3] = 44
    if bad in (1, 2):
        data[1][0, 1] = 7
    name, value = ("tags", 7) if bad == 1 else ("words", 44)
    either = r"'(words' has .*Received: 44|tags' has .*Received: 7) "
    match = either if bad == 2 else f"'{name}' has .*Received: {value} "
    with pytest.raises(InvalidIdError, match=match):
        model.fit(data, TARGETS, **FIT)
    assert_close(state_of(model), before, 0.0)


def test_a_bad_pooled_id() -> None:
    keras.utils.set_random_seed(4)
    ids = keras.Input((LENGTH,), dtype="int32")
    rows = OURS.reduce(name="pooled")(ids)
    model = rowwise.Model(ids, keras.layers.Dense(1, activation="sigmoid")(rows))
    model.compile("adam", "binary_crossentropy")
    model.fit(IDS, TARGETS, **FIT)
    before = state_of(model)
    with pytest.raises(InvalidIdError, match=r"'pooled'.*Received: 31 at position \(3, 2\).*ch 0 "):
        model.fit(with_bad(3, 31), TARGETS, **FIT)
    assert_close(state_of(model), before, 0.0)


def test_the_bad_id_is_located_in_the_data(whole: Any) -> None:
    with pytest.raises(InvalidIdError) as caught:
        whole.fit(with_bad(14, 123), TARGETS, **FIT)
    assert re.search("in the data it is row 14", str(caught.value))
    assert caught.value.position == (14, 2)


def test_a_long_epoch_ends_soon_after_a_bad_id_and_keeps_the_weights() -> None:
    ids, targets = batches(80)
    models = simple(OURS), simple(STOCK)
    models[1].fit(ids[:12], targets[:12], **FIT)
    ids[13, 1] = 77
    seen: list[int] = []
    counter = keras.callbacks.LambdaCallback(on_train_batch_end=lambda n, logs: seen.append(n))
    with pytest.raises(InvalidIdError, match="in batch 3 of the epoch"):
        models[0].fit(ids, targets, callbacks=[counter], **FIT)
    assert len(seen) < 40
    assert_twins(*models)
    for model in models:
        model.fit(IDS, TARGETS, **FIT)
    assert_twins(*models)


@pytest.mark.parametrize("policy", ["clip", "oov"])
def test_other_policies_train_on_another_row(policy: str) -> None:
    bad = IDS.astype("float32")
    bad[1, 2], bad[5, 0], bad[9, 1], bad[14, 3] = ROWS + 3, -4, np.nan, ROWS
    good = IDS.astype("float32")
    if policy == "clip":
        good[1, 2], good[5, 0], good[9, 1], good[14, 3] = ROWS - 1, 0, 0, ROWS - 1
    else:
        good[1, 2] = good[5, 0] = good[9, 1] = good[14, 3] = 1
    ours = floating(invalid_ids=policy, oov_id=1)
    keras.utils.set_random_seed(1)
    stock = simple(STOCK)
    stock.set_weights(ours.get_weights())
    ours.fit(bad, TARGETS, **FIT)
    stock.fit(good, TARGETS, **FIT)
    assert_twins(ours, stock)
    assert ours.get_weights()[0].shape == (ROWS, COLUMNS)
