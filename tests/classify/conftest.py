from importlib.resources import files

import pytest

from rowwise.text import Examples, read_examples


@pytest.fixture(scope="session")
def reviews() -> Examples:
    """The reviews that come with rowwise."""
    return read_examples(str(files("rowwise.data") / "reviews.csv"), text="text", label="label")
