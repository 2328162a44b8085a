"""What a training step costs with a table, row-wise and dense: a model, never a measurement.

Decided by it once, a run is the same on every machine. The constants are nanoseconds on one core
of a common server; what matters is their ratio.
"""

# A dense step passes over the table, its gradient and the optimizer's slots, element by element:
# while they fit into the cache, and beyond.
DENSE_IN_CACHE = 0.5
DENSE_BEYOND = 1.6
CACHED_ELEMENTS = 2_000_000

# For each element of rows that are summed as they are looked up (`EmbedReduce`): a dense step has
# them and their gradient in memory, a row-wise step does not.
DENSE_SUMMED = 0.4

# A row-wise step: whatever it does once, and for each element of the rows that it updates. What
# else is done for each lookup is the same in both.
ROWWISE_START = 100_000.0
ROWWISE_ELEMENT = 2.0

# How many of a batch's ids are different, nobody knows before; of words it is about this share.
DISTINCT = 0.5


def dense_cost(row_count: int, columns: int, summed: int = 0) -> float:
    """Nanoseconds of a dense step, beyond what both ways cost.

    Args:
        row_count: of the table.
        columns: of the table.
        summed: the lookups of a batch whose rows are summed as they are looked up.
    """
    elements = row_count * columns
    beyond = max(0, elements - CACHED_ELEMENTS)
    of_table = DENSE_IN_CACHE * (elements - beyond) + DENSE_BEYOND * beyond
    return of_table + DENSE_SUMMED * summed * columns


def rowwise_cost(row_count: int, columns: int, lookups: int) -> float:
    """Nanoseconds of a row-wise step, beyond what both ways cost.

    Args:
        row_count: of the table.
        columns: of the table.
        lookups: of a batch, equal ids included.
    """
    distinct = DISTINCT * min(lookups, row_count)
    return ROWWISE_START + ROWWISE_ELEMENT * distinct * columns
