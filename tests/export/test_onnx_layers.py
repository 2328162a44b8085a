"""Every layer that ONNX export knows: onnxruntime and stock Keras compute what the model does."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from exported import run_onnx
from small_models import BAD, IDS, LENGTH, OTHERS, RANDOM, WEIGHTS, chain, ids, on_ids, two

from rowwise.backend import keras
from rowwise.export import onnx_model, stock_model
from rowwise.layers import Embedding, EmbedReduce, Pool, WordPairs

layers, ops = keras.layers, keras.ops


def weighted(**arguments: Any) -> Any:
    given, weights = ids(), ids("float32")
    return keras.Model([given, weights], EmbedReduce(5, 4, **arguments)(given, weights=weights))


def nested() -> Any:
    parts = [keras.Input((LENGTH,), dtype="int32"), Embedding(5, 4, mask_zero=True), layers.LSTM(3)]
    inner = keras.Sequential(parts)
    first, second = ids(), ids()
    return keras.Model([first, second], layers.Concatenate()([inner(first), inner(second)]))


def nested_with_a_taken_name() -> Any:
    """The layer ``sum`` in ``words`` merges masked rows, ``words_sum`` before it plain ones."""
    first, second = ids(), ids()
    inner = keras.Model(
        inputs := [keras.Input((4,)), keras.Input((4,))],
        layers.Add(name="sum")(inputs),
        name="words",
    )
    pool, table = Pool(), Embedding(5, 4)
    parts = [pool(table(first)), pool(table(second))]
    return keras.Model(
        [first, second], layers.Concatenate()([layers.Add(name="words_sum")(parts), inner(parts)])
    )


def pairs(**arguments: Any) -> Any:
    return on_ids(lambda given: EmbedReduce(50, 4, **arguments)(WordPairs(50)(given)))


# Weights get other values anyway, and making random ones takes longest.
PLAIN_CELL = {"kernel_initializer": "zeros", "recurrent_initializer": "zeros"}
WAYS = {
    "forward": lambda kind, every: kind(3, return_sequences=every, **PLAIN_CELL),
    "backward": lambda kind, every: kind(
        3, return_sequences=every, go_backwards=True, **PLAIN_CELL
    ),
    "both": lambda kind, every: layers.Bidirectional(kind(3, return_sequences=every, **PLAIN_CELL)),
}
RECURRENT = {
    f"{kind.__name__} {way} {'sequences ' if every else ''}{'masked' if mask else ''}": (
        lambda kind=kind, way=way, every=every, mask=mask: chain(WAYS[way](kind, every), mask=mask),
        1,
    )
    for kind in (layers.LSTM, layers.GRU, layers.SimpleRNN)
    for way in WAYS
    for every, mask in ((True, True), (False, True), *([(True, False)] if way == "both" else []))
}
ACTIVATIONS = (
    *("elu", "exponential", "gelu", "hard_sigmoid", "leaky_relu", "linear", "log_softmax", "mish"),
    *("relu", "relu6", "selu", "sigmoid", "silu", "softmax", "softplus", "softsign", "tanh"),
)
CONVOLUTIONS = {
    f"Conv1D {padding} {width} {step} {spread}": (
        lambda padding=padding, width=width, step=step, spread=spread: chain(
            layers.Conv1D(3, width, strides=step, dilation_rate=spread, padding=padding),
            mask=False,
        ),
        1,
    )
    for padding in ("same", "valid", "causal")
    for width, step, spread in ((2, 1, 1), (3, 1, 2), (3, 2, 1), (4, 2, 1))
}
POOLS = {
    f"Pool {combiner} {'masked' if mask else ''}": (
        lambda combiner=combiner, mask=mask: chain(Pool(combiner), mask=mask),
        1,
    )
    for combiner in ("mean", "sum", "sqrtn", "max")
    for mask in (True, False)
}
REDUCED = {
    f"EmbedReduce {combiner} {'masked' if mask else ''} {inputs}": (
        lambda combiner=combiner, mask=mask, make=make: make(combiner=combiner, mask_zero=mask),
        inputs,
    )
    for combiner in ("mean", "sum", "sqrtn")
    for mask in (True, False)
    for inputs, make in (
        ("weights", weighted),
        (1, lambda **arguments: on_ids(EmbedReduce(5, 4, **arguments))),
    )
}
MERGED = {
    kind.__name__: (lambda kind=kind: two(lambda x, y: kind()([x, y])), 2)
    for kind in (
        layers.Add,
        layers.Average,
        layers.Concatenate,
        layers.Maximum,
        layers.Minimum,
        layers.Multiply,
        layers.Subtract,
    )
}
PLAIN = {
    "Dense of ids": lambda: on_ids(lambda x: layers.Dense(2)(ops.cast(x, "float32"))),
    "Flatten": lambda: chain(layers.Flatten(), layers.Dense(2), mask=False),
    "Reshape": lambda: chain(layers.Reshape((3, 8)), layers.Permute((2, 1)), mask=False),
    "Reshape open": lambda: chain(layers.Reshape((-1, 12)), mask=False),
    "RepeatVector": lambda: chain(layers.Flatten(), layers.RepeatVector(3), mask=False),
    "norms": lambda: chain(
        layers.BatchNormalization(),
        layers.LayerNormalization(),
        layers.BatchNormalization(scale=False, center=False),
        layers.LayerNormalization(scale=False, center=False),
        mask=False,
    ),
    "scaled": lambda: chain(
        layers.Rescaling(0.3, 2), layers.LeakyReLU(0.1), layers.ReLU(), layers.Softmax(), mask=False
    ),
    "activations that are layers": lambda: chain(
        layers.Dense(3, activation=layers.LeakyReLU(0.1)),
        layers.Activation(layers.Activation(layers.ReLU())),
        layers.Conv1D(3, 2, activation=layers.Softmax()),
        mask=False,
    ),
    "only in training": lambda: chain(
        layers.Dropout(0.5),
        layers.SpatialDropout1D(0.3),
        layers.GaussianNoise(0.1),
        layers.ActivityRegularization(0.1),
        layers.Identity(),
        layers.Activation("tanh"),
        Pool(),
    ),
    "GlobalAveragePooling1D": lambda: chain(layers.GlobalAveragePooling1D(), mask=False),
    "GlobalAveragePooling1D masked": lambda: chain(layers.GlobalAveragePooling1D(keepdims=True)),
    "GlobalMaxPooling1D": lambda: chain(layers.GlobalMaxPooling1D(), mask=False),
    "MaxPooling1D": lambda: chain(layers.MaxPooling1D(4, 2, padding="same"), mask=False),
    "AveragePooling1D": lambda: chain(layers.AveragePooling1D(4, 3, padding="same"), mask=False),
    "GRU of another kind": lambda: chain(layers.GRU(3, reset_after=False, return_sequences=True)),
    "LSTM of another kind": lambda: chain(
        layers.LSTM(3, use_bias=False, activation="relu", recurrent_activation="hard_sigmoid")
    ),
    "LSTM unrolled": lambda: chain(layers.LSTM(3, unroll=True, return_sequences=True)),
    "LSTM on LSTM": lambda: chain(
        layers.Bidirectional(layers.LSTM(3, return_sequences=True), merge_mode="sum"),
        layers.LSTM(2),
    ),
    "the last two ways": lambda: chain(
        layers.Bidirectional(layers.GRU(3, return_sequences=True), merge_mode="mul"),
        layers.Bidirectional(layers.GRU(3), merge_mode="ave"),
    ),
    "any length": lambda: chain(
        layers.Bidirectional(layers.LSTM(3, return_sequences=True)), Pool("max"), length=None
    ),
    "WordPairs": lambda: pairs(mask_zero=True),
    "LoRA": lambda: with_lora(),
    "slices": lambda: chain(
        lambda x: ops.sum(ops.tanh(x[:, ::2, 1:3]) * 2 + ops.exp(-x[:, 0:3, :2]), axis=1) / 3,
        mask=False,
    ),
    "parts": lambda: chain(
        lambda x: ops.concatenate([ops.mean(x, 1), ops.max(x, 1), x[:, -1], x[:, 0, :]], axis=-1),
        mask=False,
    ),
    "numbers": lambda: on_ids(
        lambda x: (
            ops.cast(ops.clip(x, 1, 2), "float32") / ops.cast(ops.maximum(x, 1), "float32")
            + ops.sqrt(ops.square(ops.cast(x, "float32")))
            - ops.minimum(x, 2)
        )
    ),
    "whole numbers divided": lambda: on_ids(lambda x: (x + 1) / 2 + ops.abs(x - 3) % 2),
    "conditions": lambda: on_ids(
        lambda x: (
            ops.cast(ops.logical_or(x >= 3, ops.logical_not(x < 2)), "float32")
            + ops.cast(ops.all(x > 0, axis=1, keepdims=True), "float32")
        )
    ),
    "means of whole numbers": lambda: on_ids(
        lambda x: ops.mean(x, axis=1) + ops.mean(ops.equal(x, 2), axis=1)
    ),
    "the mean of all": lambda: on_ids(ops.mean),
    "truths": lambda: on_ids(
        lambda x: ops.where(ops.max(ops.equal(x, 2), axis=1), 2.5, ops.sum(ops.square(x > 2), 1))
    ),
    "truths of truths": lambda: on_ids(
        lambda x: ops.concatenate(
            [
                ops.maximum((x > 1) + (x < 0), (x > 2) * (x < 4)),
                ops.minimum(x > 1, ops.where(x > 2, x > 3, ops.abs(x > 1))),
                ops.equal((x > 1) > (x > 2), (x > 1) <= (x > 3)),
                ops.relu(x - 2),
                ops.clip(x > 2, 0, 1),
            ],
            axis=1,
        )
    ),
    "whole numbers and others": lambda: on_ids(
        lambda x: ops.concatenate([x, x / 2, ops.where(ops.equal(x, 2), x, 0.5)], axis=1)
    ),
    "Sequential": lambda: keras.Sequential(
        [Embedding(5, 4, input_length=LENGTH), layers.Flatten(), layers.Dense(1)]
    ),
    "Sequential of Keras": lambda: keras.Sequential(
        [ids(), keras.layers.Embedding(5, 4, mask_zero=True), layers.GRU(2)]
    ),
}


def with_lora() -> Any:
    table = Embedding(5, 4)
    table.enable_lora(2)
    return on_ids(lambda x: layers.Flatten()(table(x)))


def dotted(axes: Any, first: int, second: int, normalize: bool = False) -> Any:
    """The product of rows, or of one row each where ``first`` or ``second`` is 2."""
    merge = layers.Dot(axes, normalize=normalize)
    return two(
        lambda x, y: merge([x if first == 3 else Pool()(x), y if second == 3 else Pool()(y)])
    )


DOTTED = {
    f"Dot {axes} {first} {second} {normalize}": (
        lambda axes=axes, first=first, second=second, normalize=normalize: dotted(
            axes, first, second, normalize
        ),
        2,
    )
    for axes, first, second, normalize in (
        (1, 2, 2, False),
        (-1, 2, 2, True),
        (2, 3, 3, True),
        (1, 3, 3, False),
        ((2, 1), 3, 2, False),
        ((1, 2), 2, 3, True),
    )
}
MIXED = {
    f"{kind.__name__} of whole numbers and others": (
        lambda kind=kind: on_ids(lambda x: kind()([x, ops.cast(x, "float32") / 2, x])),
        1,
    )
    for kind in (layers.Add, layers.Average, layers.Concatenate, layers.Maximum, layers.Multiply)
}
CASES: dict[str, tuple[Callable[[], Any], Any]] = {
    **RECURRENT,
    **CONVOLUTIONS,
    **POOLS,
    **REDUCED,
    **MERGED,
    **MIXED,
    **DOTTED,
    **{name: (make, 1) for name, make in PLAIN.items()},
    **{
        f"activation {name}": (lambda name=name: chain(layers.Dense(3, activation=name)), 1)
        for name in ACTIVATIONS
    },
    "nested": (nested, 2),
    "nested with the name of another": (nested_with_a_taken_name, 2),
    "masked and concatenated": (
        lambda: two(lambda x, y: Pool("sum")(layers.Concatenate()([x, y])), mask=True),
        2,
    ),
    "masked and added": (lambda: two(lambda x, y: Pool("sum")(x + y), mask=True), 2),
    "invalid ids clipped": (
        lambda: on_ids(lambda x: Pool()(Embedding(5, 4, mask_zero=True, invalid_ids="clip")(x))),
        "bad",
    ),
    "invalid ids unknown": (
        lambda: on_ids(
            lambda x: Pool()(Embedding(5, 4, mask_zero=True, invalid_ids="oov", oov_id=1)(x))
        ),
        "bad",
    ),
}
INPUTS = {1: [IDS], 2: [IDS, OTHERS], "weights": [IDS, WEIGHTS], "bad": [BAD]}


def scatter_weights(model: Any) -> None:
    """Give all weights other values, none of them zero."""
    random = np.random.default_rng(1)
    for layer in model.layers:
        values = [random.normal(0, 0.5, value.shape) for value in layer.get_weights()]
        if isinstance(layer, layers.BatchNormalization):
            values[-1] = np.abs(values[-1]) + 0.5
        layer.set_weights(values)


def predicted(model: Any, inputs: list[Any]) -> Any:
    """What the model predicts, without compiling it, which would take longest."""
    found = model(inputs if len(inputs) > 1 else inputs[0], training=False)
    return ops.convert_to_numpy(found)


@pytest.mark.parametrize("name", CASES)
def test_a_layer(name: str) -> None:
    make, given = CASES[name]
    model, inputs = make(), INPUTS[given]
    scatter_weights(model)
    expected = predicted(model, inputs)
    stock = stock_model(model)
    assert "rowwise" not in stock.to_json()
    np.testing.assert_allclose(predicted(stock, inputs), expected, atol=1e-6)
    (found,) = run_onnx(model, *inputs)
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_layer_that_is_called_twice_is_stored_once() -> None:
    table = Embedding(500, 40, mask_zero=True)
    parts = [table, layers.Bidirectional(layers.GRU(20), name="read"), layers.Dense(30)]
    first, second = found = [ids(), ids()]
    for part in parts:
        found = [part(each) for each in found]
    model = keras.Model([first, second], layers.Dot(1)(found))
    scatter_weights(model)
    (answer,) = run_onnx(model, IDS, OTHERS)
    np.testing.assert_allclose(answer, predicted(model, [IDS, OTHERS]), rtol=1e-4)
    weights = sum(np.prod(each.dims) for each in onnx_model(model).graph.initializer)
    assert model.count_params() <= weights < model.count_params() + 300


def test_layers_of_one_name_in_two_wrappers() -> None:
    given = ids()
    rows = Embedding(5, 4, mask_zero=True)(given)
    read = [layers.Bidirectional(layers.LSTM(20, name="read"))(rows) for _ in range(2)]
    model = keras.Model(given, layers.Subtract()(read))
    scatter_weights(model)
    (answer,) = run_onnx(model, IDS)
    np.testing.assert_allclose(answer, predicted(model, [IDS]), atol=1e-5)


def test_no_two_inputs_and_outputs_have_one_name() -> None:
    score = layers.Dense(2, name="score")
    given, other = keras.Input((3,), name="text"), keras.Input((3,))
    model = keras.Model([given, other], [score(given), score(other), given])
    inputs = [RANDOM.normal(size=(5, 3)).astype("float32") for _ in range(2)]
    names = [one.name for one in onnx_model(model).graph.output]
    assert names == ["score", "score_1", "text_1"]
    for found, expected in zip(run_onnx(model, *inputs), model(inputs), strict=True):
        np.testing.assert_allclose(found, ops.convert_to_numpy(expected), atol=1e-5)


def test_a_name_may_end_in_any_number() -> None:
    given = keras.Input((3,))
    model = keras.Model(given, layers.Dense(2, name=f"dense_{10**14}")(given))
    assert stock_model(model).layers[-1].name == f"dense_{10**14}"
