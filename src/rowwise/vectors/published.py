"""Vectors that are published under well-known names: where they are, and their checksums."""

import re
from typing import NamedTuple


class Published(NamedTuple):
    """A file of vectors on the network."""

    address: str
    checksum: str | None
    """``sha256:...``; None where the publisher's file may change."""
    member: int | None = None
    """The columns of the member of a zip that is meant."""


# J. Pennington, R. Socher, C. D. Manning: GloVe, 2014.
_GLOVE = "https://nlp.stanford.edu/data/glove.{}.zip"
_GLOVE_FILES = {
    "6B": ("617afb2fe6cbd085c235baf7a465b96f4112bd7f7ccb2b2cbd649fed9cbcf2fb", (50, 100, 200, 300)),
    "42B.300d": ("03d5d7fa28e58762ace4b85fb71fe86a345ef0b5ff39f5390c14869da0fc1970", (300,)),
    "840B.300d": ("c06db255e65095393609f19a4cfca20bf3a71e20cc53e892aafa490347e3849f", (300,)),
    "twitter.27B": (
        "792af52f795d1a32c9842a3240f5f3fe5e941a8ff6df5eb0f9d668092ebc019c",
        (25, 50, 100, 200),
    ),
}
# E. Grave et al.: Learning Word Vectors for 157 Languages, 2018.
_CRAWL = "https://dl.fbaipublicfiles.com/fasttext/vectors-crawl/{}.gz"
_CRAWL_NAME = re.compile(r"cc\.[a-z]{2,3}\.300\.(vec|bin)")


def names() -> list[str]:
    """The names, with cc.LANGUAGE.300.vec for fastText's 157 languages."""
    glove = [
        f"glove.{name.removesuffix('.300d')}.{columns}d"
        for name, (_, sizes) in _GLOVE_FILES.items()
        for columns in sizes
    ]
    return [*glove, "cc.LANGUAGE.300.vec", "cc.LANGUAGE.300.bin"]


def find(name: str) -> Published | None:
    """What is published under a name, or None."""
    for part, (checksum, sizes) in _GLOVE_FILES.items():
        for columns in sizes:
            if name == f"glove.{part.removesuffix('.300d')}.{columns}d":
                return Published(_GLOVE.format(part), f"sha256:{checksum}", columns)
    if _CRAWL_NAME.fullmatch(name):
        return Published(_CRAWL.format(name), None)
    return None
