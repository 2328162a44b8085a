"""One of something is not several of it."""

import numpy as np
import pytest

from rowwise import Vectors, viz
from rowwise.errors import InvalidArgumentError
from rowwise.text.wording import counted


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 words"), (1, "1 word"), (2, "2 words"), (1000, "1,000 words")]
)
def test_a_number_and_what_it_counts(count: int, said: str) -> None:
    assert counted(count, "word") == said


def test_messages_about_one() -> None:
    one = Vectors(["a"], [[1.0]])
    assert repr(one) == "Vectors(1 word x 1 column)"
    assert str(viz.compare(one, one)).startswith("1 word in both tables")
    with pytest.raises(InvalidArgumentError, match=r"each of the 1 word\. Received 2"):
        viz.plot_map(one, color=[1, 2])
    with pytest.raises(InvalidArgumentError, match=r"1 of 1 row do"):
        viz.project(np.full((1, 2), np.nan))
