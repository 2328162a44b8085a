"""Models whose tables are trained, and what happens to them on the way."""

from rowwise.training.callbacks import Unfreeze
from rowwise.training.checkpoints import Checkpoints, load_checkpoint, save_checkpoint
from rowwise.training.cloning import clone_model
from rowwise.training.converting import convert
from rowwise.training.loading import load_keras_model
from rowwise.training.model import Model
from rowwise.training.recording import RecordWords
from rowwise.training.saving import save_model
from rowwise.training.sequential import Sequential

__all__ = [
    "Checkpoints",
    "Model",
    "RecordWords",
    "Sequential",
    "Unfreeze",
    "clone_model",
    "convert",
    "load_checkpoint",
    "load_keras_model",
    "save_checkpoint",
    "save_model",
]
