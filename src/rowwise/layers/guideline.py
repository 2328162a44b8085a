"""How many columns a table should have."""

from rowwise.errors import InvalidArgumentError

# The sizes that people use, smallest first.
COMMON_DIMS = (8, 16, 32, 50, 64, 100, 128, 200, 256, 300)


def suggest_output_dim(vocabulary_size: int) -> int:
    """A number of columns for a table of ``vocabulary_size`` rows, by the fourth-root guideline.

    The guideline says roughly ``vocabulary_size ** 0.25``, and to take a common size from there.
    Defined here as: the smallest of 8, 16, 32, 50, 64, 100, 128, 200, 256 and 300 that is at
    least the fourth root. 10,000 words have the fourth root 10, so 16; a million 31.6, so 32.
    It is where to start trying, not an optimum.

    Args:
        vocabulary_size: rows of the table; a ``Vocabulary``'s length.

    Raises:
        InvalidArgumentError: not a positive whole number.
    """
    is_whole = hasattr(vocabulary_size, "__index__") and not isinstance(vocabulary_size, bool)
    if not is_whole or vocabulary_size < 1:
        raise InvalidArgumentError(
            f"`vocabulary_size` must be a positive integer. Received: {vocabulary_size!r}. "
            "For a Vocabulary, give its length."
        )
    # In whole numbers: d is at least the fourth root where d ** 4 is at least the size.
    size = int(vocabulary_size)
    return next((d for d in COMMON_DIMS if d**4 >= size), COMMON_DIMS[-1])
