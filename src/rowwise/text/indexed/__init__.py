"""Labelled texts in files larger than memory: where they are, and reading any of them."""
