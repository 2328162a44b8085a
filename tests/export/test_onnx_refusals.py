"""What ONNX export does not know, which is named."""

from collections.abc import Callable
from typing import Any

import pytest
from small_models import chain, on_ids, two

from rowwise.backend import keras
from rowwise.errors import InvalidArgumentError
from rowwise.export import onnx_model
from rowwise.layers import Embedding

layers, ops = keras.layers, keras.ops


def masked_merge() -> Any:
    return two(lambda x, y: layers.Add()([x, y]), mask=True)


def quantised() -> Any:
    model = keras.Sequential([keras.Input((4,)), layers.Dense(2, name="last")])
    model.layers[0].quantize("int8")
    return model


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: chain(layers.UnitNormalization(name="unit"), mask=False),
            "does not know layers of the class UnitNormalization, as 'unit' is one. It knows those "
            "of rowwise, and of Keras: Activation, ",
        ),
        (
            lambda: on_ids(lambda x: ops.cumsum(x, axis=1)),
            "does not know the operation Cumsum, which the model calls as a function. It knows: ",
        ),
        (
            lambda: chain(layers.Dense(2, activation="celu", name="last")),
            "does not know the activation 'celu' of layer 'last'. It knows here: elu, ",
        ),
        (
            lambda: chain(layers.Dense(2, activation=layers.PReLU(), name="last")),
            "does not know the activation of layer 'last', which is a layer PReLU. It knows the ",
        ),
        (
            lambda: chain(layers.LSTM(2, activation=layers.LeakyReLU(0.1), name="read")),
            "does not know the activation 'LeakyReLU' of layer 'read'. It knows here: ",
        ),
        (
            lambda: chain(layers.LSTM(2, activation="gelu", name="read")),
            "does not know the activation 'gelu' of layer 'read'. It knows here: hard_sigmoid, ",
        ),
        (
            lambda: chain(layers.BatchNormalization(axis=1, name="norm"), mask=False),
            "takes a layer BatchNormalization with axis=-1. Layer 'norm' has axis=1.",
        ),
        (
            lambda: on_ids(
                lambda x: layers.Dropout(0.5, name="drop")(Embedding(5, 4)(x), training=True)
            ),
            "Layer 'drop' is called with training=True, so what it predicts is random.",
        ),
        (
            lambda: on_ids(
                lambda x: layers.LSTM(2, dropout=0.5, name="read")(
                    Embedding(5, 4)(x), training=True
                )
            ),
            "Layer 'read' is called with training=True, so what it predicts is random.",
        ),
        (
            lambda: chain(layers.Flatten(data_format="channels_first", name="flat"), mask=False),
            "takes a layer Flatten with data_format='channels_last'. Layer 'flat' has ",
        ),
        (
            lambda: on_ids(lambda x: ops.squeeze(ops.expand_dims(x, 1))),
            "takes `squeeze` with an axis. Received none.",
        ),
        (lambda: on_ids(lambda x: ops.clip(x, 0.5, 3)), "clips whole numbers at whole numbers."),
        (quantised, "Layer 'last' is quantised, which ONNX export does not know."),
        (masked_merge, "merges rows of which some are masked"),
        (
            lambda: chain(layers.Dense(2, dtype="float16", name="half")),
            "takes models that compute in float32. Layer 'half' computes in float16.",
        ),
        (
            lambda: on_ids(lambda x: Embedding(5, 4)(x)[:, None]),
            "takes parts of tensors by whole numbers and slices. Received: ",
        ),
    ],
)
def test_what_onnx_export_does_not_know_is_named(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(InvalidArgumentError) as raised:
        onnx_model(make())
    assert message in str(raised.value)
