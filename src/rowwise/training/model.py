"""``Model``: ``keras.Model`` with what ``CarefulModel`` adds, functional or subclassed."""

from typing import Any, Self

from rowwise.backend import keras
from rowwise.training.careful import CarefulModel

# Keras has no public name for the class of functional models. (3.12 wants a layer in between.)
_input = keras.Input((1,))
KerasFunctional: Any = type(keras.Model(_input, keras.layers.Identity()(_input)))
del _input


@keras.saving.register_keras_serializable(package="rowwise")
class Model(CarefulModel):
    """``keras.Model``: made from inputs and outputs, or the base of a class of your own.

    Differs from Keras's in that bad ids are errors in ``fit``, ``predict`` and ``evaluate``, and
    that ``save`` never leaves half a file.
    """

    # Keras makes a functional model of whatever gets inputs and outputs by rewriting the bases of
    # its class, and of the bases of those: this class would be functional from then on, and every
    # subclass with a `call` of its own would fail. So both ways to a functional model end here.

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """A functional model for inputs and outputs, otherwise an instance of ``cls``."""
        wanted: Any = Functional if cls is Model and _is_functional(args, kwargs) else cls
        made: Self = super().__new__(wanted)
        return made

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if not _is_functional(args, kwargs):
            super().__init__(*args, **kwargs)
            return
        if not isinstance(self, KerasFunctional):
            self.__class__ = _functional_variant(type(self))
        KerasFunctional.__init__(self, *args, **kwargs)


# Not public: users write `Model(inputs, outputs)`. `.h5` files name a class as Python does.
@keras.saving.register_keras_serializable(package="rowwise")
class Functional(Model, KerasFunctional):
    """What ``Model(inputs, outputs)`` gives."""

    # By this signature, names and all, Keras 3.12 and later know that such a model can be rebuilt
    # from its layers.
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)


_variants: dict[type, type] = {}


def _functional_variant(cls: type) -> type:
    """A functional class for instances of ``cls`` that give inputs and outputs to ``Model``."""
    if cls not in _variants:
        names = {"__module__": cls.__module__, "__qualname__": cls.__qualname__}
        variant = type(cls.__name__, (cls, KerasFunctional), names)
        package, separator, name = keras.saving.get_registered_name(cls).rpartition(">")
        if separator:  # files name the class that the user registered
            keras.saving.register_keras_serializable(package, name)(variant)
        _variants[cls] = variant
    return _variants[cls]


def _is_functional(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether a constructor's arguments are inputs and outputs."""
    return len(args) >= 2 or "outputs" in kwargs
