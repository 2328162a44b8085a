"""Counting the words of files in parts: by blocks, in processes, or on a Dask cluster.

Files become parts, a part becomes ``WordCounts``, and those of all parts are merged, in whatever
order they come. What is added up twice or never would be wrong, so every part is merged exactly
once, however often it had to be counted.
"""
