"""Data shipped with rowwise: short reviews written for the project."""
