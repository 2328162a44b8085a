"""Counting one part of a file: what every process and every machine does."""

from dataclasses import replace

from rowwise.text.counting.blocks import count_lines
from rowwise.text.counting.counts import Merger, WordCounts
from rowwise.text.counting.texts import Part, texts_of
from rowwise.text.cutting import Cutter
from rowwise.text.reading import Fault, naming


def count_part(part: Part, cutter: Cutter) -> WordCounts:
    """Count the words of a part of a file.

    Raises:
        DataFileError: it cannot be read, or anything in it is not as it must be.
        InvalidTextError: an ``analyzer`` returned something else than strings.
    """
    with naming(part.path):
        try:
            return _count(part, cutter)
        except Fault:
            if not part.start or part.format == "parquet":
                raise
            # In which line of the file the part begins is only needed now.
            first = count_lines(part.location, part.start) + 1
            _count(replace(part, first=first), cutter)
            raise


def _count(part: Part, cutter: Cutter) -> WordCounts:
    merger = Merger()
    for texts, places in texts_of(part):
        for words in cutter.groups(texts):
            merger.add(WordCounts.of_words(words, part.file, places))
    return merger.result()
