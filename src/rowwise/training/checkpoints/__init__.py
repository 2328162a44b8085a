"""The state of training in a folder, written by all processes, each its part."""

from rowwise.training.checkpoints.keeping import Checkpoints
from rowwise.training.checkpoints.restoring import load_checkpoint
from rowwise.training.checkpoints.storing import save_checkpoint

__all__ = ["Checkpoints", "load_checkpoint", "save_checkpoint"]
