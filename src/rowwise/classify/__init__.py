"""Text in, label out."""

from rowwise.classify.classifier import TextClassifier
from rowwise.classify.run import RunReport, train_run
from rowwise.classify.storage import load_model

__all__ = ["RunReport", "TextClassifier", "load_model", "train_run"]
