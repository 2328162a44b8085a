"""What the tests export, and running it."""

from typing import Any

import numpy.typing as npt
import onnx
import onnxruntime

from rowwise.export import onnx_model

HEADS = ("pooled", "lstm", "cnn")
# Known and unknown words, none at all, too many.
TEXTS = [
    "The soup was cold and the waiter rude.",
    "A wonderful, moving film. I loved it!",
    "",
    " \t\n",
    "qwertz uiopü 😞",
    "great " * 300,
    "ΟΔΟΣ İstanbul don't",
]


def run_onnx(model: Any, *inputs: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
    """What onnxruntime makes of a model, after the checks of the package onnx."""
    made = onnx_model(model)
    onnx.checker.check_model(made, full_check=True)
    session = onnxruntime.InferenceSession(made.SerializeToString())
    names = [one.name for one in session.get_inputs()]
    found: list[npt.NDArray[Any]] = session.run(None, dict(zip(names, inputs, strict=True)))
    return found
