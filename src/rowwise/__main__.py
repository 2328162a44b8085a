"""``python -m rowwise`` is the command ``rowwise``."""

from rowwise.cli import main

main()
