"""How messages say how many there are of something."""


def counted(count: int, noun: str) -> str:
    """A number and what it counts: ``1 word``, ``1,000 words``."""
    return f"{count:,} {noun}{'s' * (count != 1)}"
