"""``Sequential``: ``keras.Sequential`` whose ids stay integers."""

from typing import Any

from rowwise.backend import keras
from rowwise.training.careful import CarefulModel


@keras.saving.register_keras_serializable(package="rowwise")
class Sequential(CarefulModel, keras.Sequential):
    """``keras.Sequential`` for models that start with an embedding layer.

    When the first layer is an embedding, the model's input is int32: Keras would make it float32,
    which turns id 16,777,217 into 16,777,216. With the layer's ``input_length`` the model is
    built at once, and ``summary()`` shows its shapes. Bad ids are errors in ``fit``, ``predict``
    and ``evaluate``, and ``save`` never leaves half a file.
    """

    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Add ``layer`` at the end, as in Keras."""
        length = getattr(layer, "input_length", None)
        if length is not None and not self.layers and _input_layer(self) is None:
            shape = tuple(length) if isinstance(length, (tuple, list)) else (length,)
            super().add(keras.layers.InputLayer(shape=shape, dtype="int32"), rebuild=rebuild)
        super().add(layer, rebuild=rebuild)

    def build(self, input_shape: Any = None) -> None:
        """Build for inputs of ``input_shape``, batch axis first, as in Keras."""
        layers = self.layers
        if layers and isinstance(layers[0], keras.layers.Embedding) and _is_shape(input_shape):
            # Keras would keep the first batch's size for all.
            input_shape = (None, *input_shape[1:])
            declared = _input_layer(self)
            if declared is None or "int" not in declared.dtype:
                while self.layers or _input_layer(self) is not None:
                    self.pop(rebuild=False)
                name = None if declared is None else declared.name
                new = keras.layers.InputLayer(batch_shape=input_shape, dtype="int32", name=name)
                super().add(new, rebuild=False)
                for layer in layers:
                    super().add(layer, rebuild=False)
        super().build(input_shape)


def _input_layer(model: keras.Sequential) -> Any:
    """The input layer at the bottom, which ``model.layers`` leaves out, or None."""
    all_layers = keras.Model.layers.fget(model)
    first = all_layers[0] if all_layers else None
    return first if isinstance(first, keras.layers.InputLayer) else None


def _is_shape(value: Any) -> bool:
    return isinstance(value, (tuple, list)) and all(
        size is None or isinstance(size, int) for size in value
    )
