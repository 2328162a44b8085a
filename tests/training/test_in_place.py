"""No array of a table's size is made: neither a step nor a flush copies a table or its slots.

A step does not even make an array of one number for each row.
"""

import re
from typing import Any

import numpy as np
import pytest
from twins import compiled_texts

from rowwise.backend import keras, rows
from rowwise.layers import Embedding, EmbedReduce
from rowwise.training import Model
from rowwise.training.step import RowwiseStep
from rowwise.training.table import Spec

ROWS, FROZEN, COLUMNS = 3001, 3002, 7


def run(layer: Any, optimizer: str) -> Any:
    """A model with a table that trains and one that is frozen, after a step and a flush."""
    ids = keras.Input((4,), dtype="int32")
    moving = layer(ROWS, COLUMNS, updates="exact")(ids)
    still = layer(FROZEN, COLUMNS, trainable=False)(ids)
    rows = keras.layers.Flatten()(keras.layers.Add()([moving, still]))
    model = Model(ids, keras.layers.Dense(1)(rows))
    model.compile(optimizer, "mse")
    ids = np.random.default_rng(0).integers(0, ROWS, (8, 4)).astype("int32")
    model.fit(ids, np.zeros((8, 1)), batch_size=8, verbose=0)
    model.get_weights()
    return model


READ = "ReadVariableOp"

everywhere = pytest.mark.parametrize(
    ("layer", "optimizer"),
    [
        (layer, optimizer)
        for layer in (Embedding, EmbedReduce)
        for optimizer in ("adam", "adagrad", "rmsprop", "nadam", "lion", "ftrl")
    ],
)

if keras.backend.backend() == "jax":

    @everywhere
    def test_tables_are_written_in_place(
        layer: Any, optimizer: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """By what XLA makes of the functions that are compiled for steps and flushes."""
        texts = compiled_texts(monkeypatch)
        run(layer, optimizer)
        start, step, flush = texts
        of_tables, of_its_length = (
            rf"f32\[(?:{ROWS}|{FROZEN}),{COLUMNS}\]\S* copy\(",
            rf"\[(?:{ROWS}|{FROZEN})\b[\d,]*\]\S* copy\(",
        )
        assert not re.findall(of_tables, start)
        assert not re.findall(of_its_length, step)
        assert not re.findall(of_tables, flush)


if keras.backend.backend() == "tensorflow":

    @everywhere
    def test_tables_are_written_in_place(
        layer: Any, optimizer: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """By the tensors in the graphs of the functions for steps and flushes."""
        import tensorflow as tf

        graphs: list[Any] = []
        traced = rows._traced

        def trace_and_keep(function: Any, given: Any) -> Any:
            def kept(*arguments: Any) -> Any:
                graphs.append(tf.compat.v1.get_default_graph())
                return function(*arguments)

            return traced(kept, given)

        monkeypatch.setattr(rows, "_traced", trace_and_keep)
        monkeypatch.setattr(rows, "flush_block", lambda most: min(most, 1024))
        run(layer, optimizer)
        _, step, flush = [
            [
                (operation.type, output.shape.as_list())
                for operation in graph.get_operations()
                for output in operation.outputs
                if output.shape.rank
            ]
            for graph in graphs
        ]
        # To look up in a frozen table Keras reads it, which is no copy.
        step = [(kind, shape) for kind, shape in step if (kind, shape[0]) != (READ, FROZEN)]
        assert not [(kind, shape) for kind, shape in step if shape[0] in (ROWS, FROZEN)]
        assert not [(kind, shape) for kind, shape in flush if shape == [ROWS, COLUMNS]]


if keras.backend.backend() == "torch":

    @everywhere
    def test_tables_are_written_in_place(
        layer: Any, optimizer: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """By what the operations of steps and flushes give."""
        from torch.utils._python_dispatch import TorchDispatchMode

        made: list[Any] = []

        class Watching(TorchDispatchMode):
            def __torch_dispatch__(
                self, function: Any, types: Any, args: Any = (), kwargs: Any = None
            ) -> Any:
                result = function(*args, **(kwargs or {}))
                for one in keras.tree.flatten(result):
                    is_table = tuple(getattr(one, "shape", ()))[:1] in ((ROWS,), (FROZEN,))
                    if (
                        is_table
                        and one.is_floating_point()
                        and not any(
                            given.data_ptr() == one.data_ptr()
                            for given in keras.tree.flatten(args)
                            if hasattr(given, "data_ptr")
                        )
                    ):
                        made.append(str(function))
                return result

        def watched(method: Any) -> Any:
            def call(*arguments: Any) -> Any:
                with Watching():
                    return method(*arguments)

            return call

        monkeypatch.setattr(rows, "flush_block", lambda most: min(most, 1024))
        monkeypatch.setattr(RowwiseStep, "__call__", watched(RowwiseStep.__call__))
        monkeypatch.setattr(Spec, "flush", watched(Spec.flush))
        model = run(layer, optimizer)
        assert model.table_updates()[0].how == "exact"
        assert not made
