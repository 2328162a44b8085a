"""The page as a file: what it holds, and what it takes and refuses."""

import base64
import gzip
import json
import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from rowwise import Vectors, viz
from rowwise.errors import InvalidArgumentError, UnknownWordError
from rowwise.viz.page.packing import packed
from rowwise.viz.page.rounding import rounded

TYPES = {
    "Float32Array": "<f4",
    "Int32Array": "<i4",
    "Int16Array": "<i2",
    "Int8Array": "i1",
    "Uint8Array": "u1",
}


def unpacked(text: str):
    data = gzip.decompress(base64.b64decode(text))
    length = int.from_bytes(data[:4], "little")
    header = json.loads(data[4 : 4 + length])
    arrays = {
        name: np.frombuffer(data, TYPES[one["type"]], one["count"], 4 + length + one["start"])
        for name, one in header["arrays"].items()
    }
    return header, arrays


def read(path):
    html = path.read_text(encoding="utf-8")
    return unpacked(re.search(r'id="data">([^<]*)<', html)[1])


def some_vectors(count=60, columns=12, seed=0):
    rows = np.random.default_rng(seed).normal(size=(count, columns)).astype("float32")
    return Vectors([f"w{i}" for i in range(count)], rows)


def test_it_holds_the_true_neighbours_and_their_cosines(tmp_path):
    vectors = some_vectors()
    report = viz.write_page(vectors, tmp_path / "map.html", neighbors=7)
    header, arrays = read(report.path)
    assert header["words"] == list(vectors.words)
    near = arrays["places"].reshape(60, 7)
    cosines = arrays["cosines"].reshape(60, 7) / 10_000
    for place, found in enumerate(vectors.most_similar(list(vectors.words), 7)):
        assert [vectors.words[one] for one in near[place]] == [word for word, _ in found]
        np.testing.assert_allclose(cosines[place], [cosine for _, cosine in found], atol=6e-5)


def test_rounded_rows_give_cosines_to_two_digits(tmp_path):
    vectors = some_vectors()
    header, arrays = read(viz.write_page(vectors, tmp_path / "map.html").path)
    rows = arrays["rows"].reshape(60, header["kept"]) * arrays["scales"][:, None]
    unit = vectors.rows / np.linalg.norm(vectors.rows, axis=1, keepdims=True)
    np.testing.assert_allclose(rows @ rows.T, unit @ unit.T, atol=0.01)


@settings(max_examples=20)
@given(st.integers(1, 9), st.integers(0, 2**31 - 1))
def test_fewer_columns_keep_what_any_columns_could(columns, seed):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(30, 8)) * np.array([9, 8, 1, 1, 1, 1, 0.1, 0.1])
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype("float32")
    found = rounded(rows, columns)
    _, lengths, _ = np.linalg.svd(rows)
    kept = min(columns, 8)
    assert found.numbers.shape == (30, kept)
    assert found.share == pytest.approx((lengths[:kept] ** 2).sum() / (lengths**2).sum(), abs=1e-5)


def test_the_same_seed_writes_the_same_bytes(tmp_path):
    for name in ("one.html", "other.html"):
        viz.write_page(some_vectors(), tmp_path / name, seed=3)
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "other.html").read_bytes()


def test_colours_by_label_count_cluster_drift_and_rank(tmp_path):
    before, after = some_vectors(), some_vectors()
    rows = np.array(after.rows)
    rows[3] += 2
    after = Vectors([*after.words[:-1], "new"], rows)
    path = tmp_path / "map.html"
    viz.write_page(
        after,
        path,
        color={"part": ["verb", "noun", "noun"] * 20},
        counts=range(60, 0, -1),
        before=before,
    )
    header, arrays = read(path)
    names = [one["name"] for one in header["colours"]]
    assert names == ["part", "frequency", "drift", "cluster", "rank"]
    assert header["colours"][0]["names"] == ["noun", "verb"]
    assert arrays["colour:0"].tolist() == [1, 0, 0] * 20
    assert arrays["colour:1"].tolist() == list(range(60, 0, -1))
    assert arrays["colour:2"].argsort()[-2] == 3  # behind the NaN of the new word
    assert np.isnan(arrays["colour:2"][-1])
    assert len(set(arrays["colour:3"])) == len(header["colours"][3]["names"])


def test_more_categories_than_colours_become_one(tmp_path):
    path = viz.write_page(
        some_vectors(), tmp_path / "map.html", color=[f"{i // 4}" for i in range(60)]
    )
    colour = read(path.path)[0]["colours"][0]
    assert (len(colour["names"]), colour["names"][-1]) == (10, "6 others")


def colour_of(tmp_path, **options):
    path = viz.write_page(some_vectors(), tmp_path / "map.html", method="pca", **options).path
    header, arrays = read(path)
    return header["colours"][0], arrays["colour:0"]


@pytest.mark.parametrize("kind", [list, np.array])
def test_booleans_are_categories(tmp_path, kind):
    colour, values = colour_of(tmp_path, color=kind([True, False, False] * 20))
    assert colour["names"] == ["False", "True"]
    assert values.tolist() == [1, 0, 0] * 20


def test_words_that_never_occur_leave_the_scale_as_it_is(tmp_path):
    colour, _ = colour_of(tmp_path, counts=[0, *range(1, 60)])
    assert (colour["log"], colour["low"], colour["high"]) == (True, 1, 59)


def test_numbers_that_cannot_be_drawn_are_counted(tmp_path):
    odd = [np.nan, np.inf, -np.inf, 1e300, *range(56)]
    colour, values = colour_of(tmp_path, color=odd)
    assert (colour["missing"], colour["low"], colour["high"]) == (4, 0, 55)
    assert np.isnan(values[:4]).all()
    assert colour_of(tmp_path, color=[np.nan] * 60)[0]["missing"] == 60


def test_threads_do_not_matter_where_columns_are_left_out():
    rows = np.random.default_rng(0).normal(size=(500, 300)).astype("float32")
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    found = []
    for threads in (1, 2):
        with threadpool_limits(limits=threads):
            found.append(rounded(rows, 20))
    np.testing.assert_array_equal(found[0].numbers, found[1].numbers)
    np.testing.assert_array_equal(found[0].scales, found[1].scales)


def test_words_in_the_table_that_are_not_shown_are_said(tmp_path):
    report = viz.write_page(some_vectors(), tmp_path / "map.html", words=["w3", "w4", "w5", "w9"])
    assert (report.words, report.total) == (4, 60)
    assert "60 words are in the table" in str(report)


def test_rows_that_are_not_finite_are_left_out_and_said(tmp_path):
    rows = np.array(some_vectors().rows)
    rows[7, 2] = np.nan
    vectors = Vectors([f"w{i}" for i in range(60)], rows)
    report = viz.write_page(vectors, tmp_path / "map.html", color=list(range(60)))
    header, arrays = read(report.path)
    assert report.unfit == ("w7",)
    assert "1 word left out, for rows that hold NaN" in str(report)
    assert "w7" not in header["words"]
    assert 7 not in arrays["colour:0"]


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 17])
@pytest.mark.parametrize("method", ["auto", "tsne", "pca", "umap"])
def test_few_words(tmp_path, count, method):
    report = viz.write_page(some_vectors(count), tmp_path / "map.html", method=method)
    header, arrays = read(report.path)
    assert header["neighbours"] == min(10, count - 1)
    assert np.isfinite(arrays["points"]).all()


def test_equal_rows_and_rows_of_zeros(tmp_path):
    rows = np.zeros((40, 3), "float32")
    rows[::2] = [1, 2, 3]
    report = viz.write_page(
        Vectors([str(i) for i in range(40)], rows), tmp_path / "map.html", method="umap"
    )
    assert np.isfinite(read(report.path)[1]["points"]).all()


@given(st.lists(st.text(max_size=8), min_size=1, max_size=5, unique=True), st.binary(max_size=9))
def test_what_is_packed_is_unpacked(words, numbers):
    array = np.frombuffer(numbers, "u1")
    header, arrays = unpacked(packed({"words": words}, {"a": array, "b": array.astype("f4")}))
    assert header["words"] == words
    assert arrays["a"].tolist() == arrays["b"].tolist() == list(numbers)


REFUSED = {
    "suffix": ({"path": "map.txt"}, InvalidArgumentError, r"written to a \.html file.*map\.txt"),
    "method": ({"method": "mds"}, InvalidArgumentError, "'auto', 'tsne', 'pca' or 'umap'.*'mds'"),
    "colours": ({"color": [1, 2]}, InvalidArgumentError, "each of the 60 words. Received 2"),
    "counts": ({"counts": [1]}, InvalidArgumentError, "'frequency'.*60 words. Received 1"),
    "seed": ({"seed": -1}, InvalidArgumentError, "`seed`"),
    "neighbours": ({"neighbors": 0}, InvalidArgumentError, "`neighbors` must be .*Received: 0"),
    "half": ({"neighbors": 1.5}, InvalidArgumentError, "`neighbors` must be .*Received: 1.5"),
    "numeral": ({"neighbors": "3"}, InvalidArgumentError, "`neighbors` must be .*Received: '3'"),
    "letters": ({"color": "x" * 60}, InvalidArgumentError, "must be a list"),
    "one": ({"color": {"a": 5}}, InvalidArgumentError, r"`color\['a'\]` must be a list.*5"),
    "matrix": ({"color": np.zeros((60, 2))}, InvalidArgumentError, "must be a list"),
    "words": ({"counts": ["x"] * 60}, InvalidArgumentError, "`counts` must be numbers.*'x'"),
    "below": ({"counts": [1] * 59 + [-1]}, InvalidArgumentError, "at least 0.*Received: -1"),
    "no count": ({"counts": [math.nan] * 60}, InvalidArgumentError, "at least 0.*Received: nan"),
    "rank": ({"color": {"rank": [1] * 60}}, InvalidArgumentError, "cannot be called 'rank'"),
    "drift": (
        {"color": {"drift": [1] * 60}, "before": some_vectors()},
        InvalidArgumentError,
        "cannot be called 'drift'",
    ),
    "folder": ({"path": "no/map.html"}, FileNotFoundError, "does not exist. Create it"),
    "none": ({"words": []}, InvalidArgumentError, "at least one word"),
    "twice": ({"words": ["w1", "w1"]}, InvalidArgumentError, "'w1' is there twice"),
    "unknown": ({"words": ["nix"]}, UnknownWordError, "'nix' has no row"),
    "many": ({"words": ["w1"] * 100_001}, InvalidArgumentError, "100,000 words at most"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(tmp_path, case):
    options, error, message = REFUSED[case]
    options = dict(options)
    path = tmp_path / options.pop("path", "map.html")
    with pytest.raises(error, match=message):
        viz.write_page(some_vectors(), path, **options)
    assert list(tmp_path.iterdir()) == []
