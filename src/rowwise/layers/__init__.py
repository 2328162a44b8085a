"""Keras layers that turn ids into rows of a table."""

from rowwise.layers.embedding import Embedding
from rowwise.layers.guideline import suggest_output_dim
from rowwise.layers.pairs import WordPairs
from rowwise.layers.pooling import Pool
from rowwise.layers.reduce import EmbedReduce

__all__ = ["EmbedReduce", "Embedding", "Pool", "WordPairs", "suggest_output_dim"]
