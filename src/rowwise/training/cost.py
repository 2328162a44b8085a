"""What a training step costs with a table, row-wise and dense: a model, never a measurement.

Decided by it once, a run is the same on every machine of a kind. What matters is the ratio of the
constants.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Prices:
    """Nanoseconds."""

    dense_in_cache: float
    """A dense step passes over the table, its gradient and the optimizer's slots, element by
    element: for each, while they fit into the cache."""
    dense_beyond: float
    """The same, beyond."""
    cached_elements: int
    dense_summed: float
    """For each element of rows that are summed as they are looked up (`EmbedReduce`): a dense step
    has them and their gradient in memory, a row-wise step does not."""
    start: float
    """Whatever a row-wise step does once."""
    element: float
    """For each element of the rows that it updates. What else is done for each lookup is the same
    in both."""


# One core of a common server.
CPU = Prices(0.5, 1.6, 2_000_000, 0.4, start=100_000.0, element=2.0)

# Keras's optimizers make several passes over a table there, and on torch a step is hundreds of
# functions that are called one by one.
TENSORFLOW = Prices(3.0, 4.0, 2_000_000, 0.0, start=2_500_000.0, element=10.0)
TORCH = Prices(2.6, 12.0, 1_000_000, 0.0, start=3_000_000.0, element=10.0)

ON_CPU = {"jax": CPU, "tensorflow": TENSORFLOW, "torch": TORCH}

# Found on an NVIDIA H200. Its memory is so quick that starting a few functions more is what counts.
ACCELERATOR = Prices(0.0065, 0.0065, 0, 0.005, start=250_000.0, element=0.02)
EAGER_ACCELERATOR = Prices(0.028, 0.028, 0, 0.0, start=2_500_000.0, element=0.02)

# TensorFlow's is not measured.
ON_ACCELERATOR = {
    "jax": ACCELERATOR,
    "tensorflow": EAGER_ACCELERATOR,
    "torch": EAGER_ACCELERATOR,
}


def prices_of(backend: str, on_accelerator: bool) -> Prices:
    """The prices of a backend of Keras's on a device."""
    return (ON_ACCELERATOR if on_accelerator else ON_CPU)[backend]


# How many of a batch's ids are different, nobody knows before; of words it is about this share.
DISTINCT = 0.5


def dense_cost(prices: Prices, row_count: int, columns: int, summed: int = 0) -> float:
    """Nanoseconds of a dense step, beyond what both ways cost.

    Args:
        prices: of the device.
        row_count: of the table.
        columns: of the table.
        summed: the lookups of a batch whose rows are summed as they are looked up.
    """
    elements = row_count * columns
    beyond = max(0, elements - prices.cached_elements)
    of_table = prices.dense_in_cache * (elements - beyond) + prices.dense_beyond * beyond
    return of_table + prices.dense_summed * summed * columns


def rowwise_cost(prices: Prices, row_count: int, columns: int, lookups: int) -> float:
    """Nanoseconds of a row-wise step, beyond what both ways cost.

    Args:
        prices: of the device.
        row_count: of the table.
        columns: of the table.
        lookups: of a batch, equal ids included.
    """
    distinct = DISTINCT * min(lookups, row_count)
    return prices.start + prices.element * distinct * columns
