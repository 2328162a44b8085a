"""What every test may use."""

from pathlib import Path

import pytest
from hypothesis import settings

# A first call compiles, which takes longer than any deadline for the calls that follow.
settings.register_profile("rowwise", deadline=None, max_examples=50)
settings.load_profile("rowwise")

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the project; it is not part of the project."""
    folder = ROOT.parent / "shared" / "data"
    assert folder.is_dir(), f"The tests on real data need the folder {folder}."
    return folder
