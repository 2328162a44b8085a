"""What backends have in common where tables are variables and no shape has to be known before."""

HAS_VARIABLES = True

# So many numbers are spread at once, which bounds the memory that they need.
SPREAD = 1 << 22

# Rows of a flush that are caught up at once: starting an operation then costs little beside it.
FLUSH = 8192


def batch_block(most: int) -> int:
    """See ``rowwise.backend.rows``."""
    del most
    return 0


def batch_room(most: int, block: int) -> int:
    """See ``rowwise.backend.rows``."""
    del most, block
    return 0


def flush_block(most: int) -> int:
    """See ``rowwise.backend.rows``."""
    return min(most, FLUSH)
