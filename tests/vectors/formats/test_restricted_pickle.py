"""Pickles are read as data: those of gensim, and none that would take memory, time or control."""

import pickle
import struct
import tracemalloc
from collections import OrderedDict, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gensim.models import KeyedVectors
from hypothesis import given
from hypothesis import strategies as st

from rowwise.errors import DataFileError
from rowwise.vectors import Vectors
from rowwise.vectors.formats import restricted_pickle
from rowwise.vectors.formats.pickle_values import Array

WORDS = ["the", "猫", "a" * 300, "\x85"]
ROWS = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
PROTOCOLS = (2, 3, 4, 5)


def read(content: bytes) -> Any:
    return restricted_pickle.load(memoryview(content), "v")


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("rows", [ROWS, np.asfortranarray(ROWS), ROWS.astype(">f4")])
def test_gensims_vectors_of_every_protocol(protocol: int, rows: np.ndarray, tmp_path: Path) -> None:
    keyed = KeyedVectors(3)
    keyed.add_vectors(WORDS, ROWS)
    keyed.vectors = rows
    (tmp_path / "v").write_bytes(pickle.dumps(keyed, protocol=protocol))
    loaded = Vectors.load(tmp_path / "v", unpickle=True)
    assert loaded.words == tuple(WORDS)
    assert np.array_equal(loaded.rows, ROWS)


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary(max_size=400),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.tuples(inner, inner),
        st.dictionaries(st.text(max_size=3) | st.integers(-(2**60), 2**60), inner, max_size=4),
        st.sets(st.text(max_size=3)),
    ),
)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@given(value=PLAIN)
def test_plain_values_are_read_as_they_were_written(protocol: int, value: Any) -> None:
    assert read(pickle.dumps(value, protocol=protocol)) == value


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_containers_and_numbers_of_numpy(protocol: int) -> None:
    value = {
        "ordered": OrderedDict(a=1),
        "default": defaultdict(int, b=2),
        "frozen": frozenset("c"),
        "scalar": np.float64(0.5),
        "objects": np.array([None, "d"], dtype=object),
        "half": np.arange(3, dtype="float16"),
    }
    found = read(pickle.dumps(value, protocol=protocol))
    assert (found["ordered"], found["default"]) == ({"a": 1}, {"b": 2})
    assert (found["frozen"], found["scalar"]) == ({"c"}, 0.5)
    half = found["half"]
    assert np.array_equal(half.value if isinstance(half, Array) else half, value["half"])


class Calling:
    """Pickles as a call of a function."""

    def __init__(self, *reduced: Any) -> None:
        self.reduced = reduced

    def __reduce__(self) -> Any:
        return self.reduced


def tuples_of_tuples(levels: int) -> bytes:
    """A dictionary whose key has each level twice within the next."""
    doubled = b"".join(b"q\x00h\x00\x86" for _ in range(levels))
    return b"\x80\x02})" + doubled + b"Ns."


def text(content: bytes) -> bytes:
    return b"X" + struct.pack("<I", len(content)) + content


LATIN = b"\x80\x02" + text(b"x" * 100_000) + b"q\x00" + text(b"latin1") + b"q\x01"
ENCODED = b"c_codecs\nencode\nh\x00h\x01\x86R"
DTYPE = b"cnumpy\ndtype\n" + text(b"f4") + b"\x85R"
HARMFUL = {
    "an array of nothing": pickle.dumps(Calling(np.ndarray, ((500_000_000,), np.dtype("O")))),
    "an array of numbers": pickle.dumps(Calling(np.ndarray, ((10**9,), np.dtype("f8")))),
    "a number of the memo": b"\x80\x04N" + b"r" + struct.pack("<I", 2**32 - 2) + b".",
    "tuples of tuples": tuples_of_tuples(60),
    "the same text for many calls": LATIN + ENCODED * 2000 + b".",
    "bytes that are not there": b"\x80\x05\x96" + struct.pack("<Q", 2**40) + b"abc.",
    "text that is not there": b"\x80\x04X" + struct.pack("<I", 2**31) + b"abc.",
    "an int that is not there": b"\x80\x04\x8b" + struct.pack("<i", -1) + b"abc.",
    "keys with the same hash": b"\x80\x04}\x8a\x08" + struct.pack("<q", 2**61 - 1) + b"Ns.",
    "a shape of more than there is": (
        b"\x80\x04cnumpy._core.numeric\n_frombuffer\n(C\x04abcd"
        + DTYPE
        + b"J\x00\xca\x9a\x3b\x85"
        + text(b"C")
        + b"tR."
    ),
    "many lists of a list": (
        b"\x80\x04](" + b"N" * 50_000 + b"eq\x00" + b"cbuiltins\nset\nh\x00\x85R0" * 3000 + b"."
    ),
    "many sets of a tuple": (
        b"\x80\x04(" + b"N" * 20_000 + b"tq\x00" + b"cbuiltins\nset\nh\x00\x85R0" * 3000 + b"."
    ),
    "many objects with the same attributes": (
        b"\x80\x04}("
        + b"".join(text(b"%06d" % number) + b"N" for number in range(20_000))
        + b"uq\x00"
        + b"cgensim.x\nX\n)\x81h\x00b" * 3000
        + b"."
    ),
    "many arrays of the same bytes": (
        b"\x80\x04B"
        + struct.pack("<I", 400_000)
        + bytes(400_000)
        + b"q\x000"
        + DTYPE
        + b"q\x020"
        + (
            b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n\x85R"
            + b"(K\x01J\xa0\x86\x01\x00\x85h\x02\x89h\x00tb"
        )
        * 3000
        + b"."
    ),
    "a function": pickle.dumps(Calling(print, ("a pickle ran code",))),
    "no function": pickle.dumps(Calling(list, ([1],))),
    "no instruction": b"\x80\x04\xff.",
    "attributes of a list": b"\x80\x04]Nb.",
    "a file name": b"\x80\x04P/etc/passwd\n.",
    "no end": b"\x80\x04N",
    "nothing": b"\x80\x04.",
}


@pytest.mark.parametrize("name", HARMFUL)
def test_what_takes_memory_time_or_control_is_refused(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "v").write_bytes(HARMFUL[name])
    tracemalloc.start()
    try:
        with pytest.raises(DataFileError, match=r"unpickled safely|something else than gensim"):
            Vectors.load(tmp_path / "v", format="gensim", unpickle=True)
        assert tracemalloc.get_traced_memory()[1] < 8 * 2**20
    finally:
        tracemalloc.stop()
    assert capsys.readouterr().out == ""


def test_a_type_of_numpy_is_not_changed() -> None:
    # NumPy's own types are shared: to turn their bytes around would turn all arrays around.
    built = b"\x80\x04" + DTYPE + b"(K\x03" + text(b">") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xff"
    read(built + b"K\x00tb.")
    assert np.dtype("f4").isnative
