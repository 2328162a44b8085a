"""Data larger than memory, in batches for Keras."""

from rowwise.datasets.resuming import ResumeDataset
from rowwise.datasets.text_dataset import TextDataset

__all__ = ["ResumeDataset", "TextDataset"]
