"""Text in, label out."""

from rowwise.classify.classifier import TextClassifier
from rowwise.classify.loading import load_model
from rowwise.classify.run import RunReport, train_run, train_run_files

__all__ = ["RunReport", "TextClassifier", "load_model", "train_run", "train_run_files"]
