"""What a training step costs with a table, row-wise and dense: a model, never a measurement.

Decided by it once, a run is the same on every machine. The constants are nanoseconds on one core
of a common server; what matters is their ratio.
"""

# A dense step passes over the table, its gradient and the optimizer's slots, element by element:
# while they fit into the cache, and beyond.
DENSE_IN_CACHE = 0.5
DENSE_BEYOND = 1.6
CACHED_ELEMENTS = 2_000_000

# A row-wise step: whatever it does once, and for each element of the rows that it updates. What is
# done for each lookup is the same in both, summing up the rows or their gradients.
ROWWISE_START = 100_000.0
ROWWISE_ELEMENT = 2.0


def dense_cost(row_count: int, columns: int) -> float:
    """Nanoseconds of a dense step, beyond what both ways cost."""
    elements = row_count * columns
    beyond = max(0, elements - CACHED_ELEMENTS)
    return DENSE_IN_CACHE * (elements - beyond) + DENSE_BEYOND * beyond


def rowwise_cost(row_count: int, lookups: int, columns: int) -> float:
    """Nanoseconds of a row-wise step that looks up ``lookups`` ids, beyond what both ways cost.

    How many of them are the same nobody knows before: at most, each row is updated.
    """
    return ROWWISE_START + ROWWISE_ELEMENT * min(lookups, row_count) * columns
