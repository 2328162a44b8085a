"""Reading examples: every format gives the same rows, every fault one line that names the place."""

import csv
import gzip
import io
import json
import re
import sys
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rowwise.errors import DataFileError, InvalidArgumentError
from rowwise.text.examples import Examples, check_labels, format_of, read_examples, read_texts

ROWS = [
    ("Good, cheap", "pro"),
    ('5" screen "as\nbright"\r\nas day', "pro"),
    ("", "con"),
    ("  东西 坏了 😞\u2028\x85 ", "con"),
]
EXPECTED = Examples([text for text, _ in ROWS], [label for _, label in ROWS])

# Without the time in its header: parameters must be the same in every process that collects tests.
CUT_GZIP = gzip.compress(b"text,label\na,b" * 99, mtime=0)[:40]


def write_csv(
    path: Path, rows=ROWS, ending="\n", header=("text", "other", "label"), quoting=csv.QUOTE_MINIMAL
) -> Path:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator=ending, quoting=quoting)
    if header:
        writer.writerow(header)
    writer.writerows((text, "x", label) for text, label in rows)
    path.write_bytes(buffer.getvalue().encode())
    return path


def write_jsonl(path: Path, rows=ROWS) -> Path:
    lines = [json.dumps({"label": label, "text": text}) for text, label in rows]
    path.write_text("\n".join(lines))
    return path


def write_parquet(path: Path, **columns) -> Path:
    pq.write_table(pa.table(columns), path)
    return path


def fault(path: Path, content: bytes, **columns: str) -> str:
    """The message for a file with this content, less the file's name."""
    path.write_bytes(content)
    with pytest.raises(DataFileError) as caught:
        read_examples(path, **({"text": "text", "label": "label"} | columns))
    message = str(caught.value)
    assert message.startswith(repr(str(path)))
    assert "\n" not in message
    assert message[-1] in ".?"
    return message.removeprefix(repr(str(path)))


# --- what is read ---------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_csv(tmp_path, ending):
    path = write_csv(tmp_path / "a.csv", ending=ending)
    assert read_examples(path, text="text", label="label") == EXPECTED
    assert read_examples(str(path), text="text") == Examples(EXPECTED.texts, None)


@pytest.mark.parametrize("name", ["a.jsonl", "a.ndjson", "a.json", "A.JSONLINES"])
def test_json_lines(tmp_path, name):
    path = write_jsonl(tmp_path / name)
    assert read_examples(path, text="text", label="label") == EXPECTED


@pytest.mark.parametrize(
    "kind",
    [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())],
    ids=str,
)
def test_parquet(tmp_path, kind):
    path = write_parquet(
        tmp_path / "a.parquet",
        label=pa.array(EXPECTED.labels).cast(kind),
        text=pa.array(EXPECTED.texts).cast(kind),
    )
    assert read_examples(path, text="text", label="label") == EXPECTED


def test_tsv_has_no_quotes(tmp_path):
    path = tmp_path / "a.tsv"
    path.write_bytes('text\tlabel\r\n"so\t a \r\n\r\n"b" \u2028 c\td'.encode())
    assert read_examples(path, text="text", label="label") == Examples(
        ['"so', '"b" \u2028 c'], ["a", "d"]
    )


def test_tsv_of_one_column_keeps_empty_texts(tmp_path):
    path = tmp_path / "a.tsv"
    path.write_text("text\na\n\nb\n")
    assert read_examples(path, text="text").texts == ["a", "", "b"]


@pytest.mark.parametrize(
    ("first", "text", "label", "expected"),
    [
        ("ham\thello", "2", "1", (["hello", "bye"], ["ham", "spam"])),
        ("1\thello", "2", "1", (["hello", "bye"], ["1", "spam"])),
        ("1\t2", "2", "1", (["bye"], ["spam"])),  # a header of numbers
        ("label\ttext", "text", "label", (["bye"], ["spam"])),
        ("ham\thello", "2", None, (["hello", "bye"], None)),
    ],
)
def test_columns_by_number(tmp_path, first, text, label, expected):
    path = tmp_path / "a.tsv"
    path.write_text(f"{first}\nspam\tbye\n")
    assert read_examples(path, text=text, label=label) == Examples(*expected)


def test_csv_without_header(tmp_path):
    path = write_csv(tmp_path / "a.csv", header=None)
    assert read_examples(path, text="1", label="3") == EXPECTED


def test_byte_order_mark(tmp_path):
    for path in (write_csv(tmp_path / "a.csv"), write_jsonl(tmp_path / "a.jsonl")):
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
        assert read_examples(path, text="text", label="label") == EXPECTED


def test_gzip_and_explicit_format(tmp_path):
    content = write_csv(tmp_path / "a.csv").read_bytes()
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(content))
    (tmp_path / "a.data").write_bytes(content)
    (tmp_path / "b.GZ").write_bytes(gzip.compress(content))
    columns = {"text": "text", "label": "label"}
    assert read_examples(tmp_path / "a.csv.gz", **columns) == EXPECTED
    assert read_examples(tmp_path / "a.data", format="csv", **columns) == EXPECTED
    assert read_examples(tmp_path / "b.GZ", format="csv", **columns) == EXPECTED


def test_blank_lines_and_white_space(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('\n text ,label\n\n"",  yes \n a ,no\n\n')
    assert read_examples(path, text="text", label="label") == Examples(["", " a "], ["yes", "no"])


def test_labels_become_strings(tmp_path):
    path = tmp_path / "a.jsonl"
    lines = [{"text": "a", "label": value} for value in (1, 2.5, True, " x ")]
    path.write_text("\n".join(map(json.dumps, lines)))
    assert read_examples(path, text="text", label="label").labels == ["1", "2.5", "True", "x"]
    for values, expected in [([0, 1], ["0", "1"]), ([0.5, 1], ["0.5", "1.0"])]:
        written = write_parquet(tmp_path / "a.parquet", text=["a", "b"], label=values)
        assert read_examples(written, text="text", label="label").labels == expected


def test_a_field_of_any_length_and_the_limit_is_put_back(tmp_path):
    long = "word " * 100_000
    before = csv.field_size_limit()
    path = write_csv(tmp_path / "a.csv", rows=[(long, "a")])
    assert read_examples(path, text="text", label="label").texts == [long]
    assert csv.field_size_limit() == before
    fault(tmp_path / "b.csv", b'text,label\n"')
    assert csv.field_size_limit() == before


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
            st.text("abc 东\"',\t", min_size=1).filter(str.strip),
        ),
        min_size=1,
    )
)
def test_any_rows_read_back(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("any")
    expected = Examples([text for text, _ in rows], [label.strip() for _, label in rows])
    texts, labels = zip(*rows, strict=True)
    for path in (
        # Python 3.11 writes a lone carriage return without quotes unless told otherwise.
        write_csv(folder / "a.csv", rows, quoting=csv.QUOTE_ALL),
        write_jsonl(folder / "a.jsonl", rows),
        write_parquet(folder / "a.parquet", text=list(texts), label=list(labels)),
    ):
        assert read_examples(path, text="text", label="label") == expected


@pytest.mark.parametrize(
    ("file", "text", "label", "rows", "classes"),
    [
        ("pros_cons.csv", "text", "label", 45_867, 2),
        ("sentences.csv", "text", "label", 3_000, 2),
        ("sms.tsv", "2", "1", 5_574, 2),
        ("banking77/train.csv", "text", "category", 10_003, 77),
    ],
)
def test_real_files(shared_data, file, text, label, rows, classes):
    examples = read_examples(shared_data / "labelled" / file, text=text, label=label)
    assert len(examples.texts) == len(examples.labels) == rows
    assert len(set(examples.labels)) == classes


def test_read_texts(tmp_path, monkeypatch):
    content = "\ufeffone\r\n\n two \u2028 \x85\nthree".encode()
    expected = ["one", "", " two \u2028 \x85", "three"]
    (tmp_path / "a.txt").write_bytes(content)
    (tmp_path / "a.gz").write_bytes(gzip.compress(content + b"\n"))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    for source in (tmp_path / "a.txt", tmp_path / "a.gz", "-"):
        assert read_texts(source) == expected


def test_examples_from_standard_input(tmp_path, monkeypatch):
    content = write_csv(tmp_path / "a.csv").read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    assert read_examples("-", text="text", label="label", format="csv") == EXPECTED


# --- what is refused ------------------------------------------------------------------------

HEAD = b"text,label\n"


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.csv", b"", ": the file is empty. Expected text."),
        ("a.csv", b"\xef\xbb\xbf \r\n\n", ": the file is empty."),
        ("a.csv", HEAD, ": there are no rows of data. Add at least one."),
        ("a.tsv", b"text\tlabel", ": there are no rows of data."),
        ("a.csv", b"txt,label\na,b\n", ", line 1: there is no column 'text'; the columns are "),
        ("a.csv", b"\nText,label\na,b\n", "'Text', 'label'. Did you mean 'Text'?"),
        ("a.tsv", b"ham\tso\n", "'ham', 'so'. Name one of these, or count columns from 1"),
        ("a.csv", b"text,label,text\na,b,c\n", ", line 1: two columns are named 'text'."),
        ("a.csv", HEAD + b"a,b\n\nc\n", ", line 4: expected 2 fields, as in the first row, found"),
        ("a.csv", HEAD + b'"a\nb",c\na,b,c\n', ", line 4: expected 2 fields"),
        ("a.csv", HEAD + b"a,b,c\n", "found 3. Put quotes around a text that has commas."),
        ("a.csv", HEAD + b"a\n", "found 1. Fill up the row, with empty cells if need be."),
        (
            "a.tsv",
            b"text\tlabel\na\tb\tc\n",
            ", line 2: expected 2 fields, as in the first row, fo",
        ),
        ("a.csv", HEAD + b"a,b\nc\xff,d\n", ", line 3: byte 0xff is not UTF-8. Save the file as"),
        ("a.jsonl", b'{"text": "\xe9"}', ", line 1: byte 0xe9 is not UTF-8."),
        ("a.csv", HEAD + b"a,b\nc\0,d\n", ", line 3: a NUL byte"),
        ("a.csv", "text,label\n".encode("utf-16"), ", line 1: a NUL byte: this is UTF-16"),
        ("a.csv", HEAD + b"a,b\nc, \n", ", line 3, column 'label': the label is missing."),
        (
            "a.csv",
            HEAD + b'"a\nb","c\n\nx,y\n',
            ", line 3: the quote before 'c\\n\\nx,y\\n' is never closed.",
        ),
        ("a.csv", HEAD + b'x,"y\n', ", line 2: the quote before"),
        (
            "a.csv",
            HEAD + b'q,r\n"a\nb"c,d\n',
            ", line 4: the quoted text '\"a\\nb\"c,d\\n', begun in",
        ),
        ("a.csv", HEAD + b"a,b\nq\rr,c\n", ", line 3: a carriage return outside quotes."),
        ("a.csv", HEAD + b"a,b\n\r,c\n", ", line 3: a carriage return outside quotes."),
        ("a.jsonl", b"\n[1]\n", ", line 2: expected a JSON object, found a list. Write one on"),
        ("a.jsonl", b"7", ", line 1: expected a JSON object, found a number."),
        ("a.jsonl", b'{"text":\n', ", line 1: '{\"text\":' is not JSON (Expecting value)."),
        ("a.jsonl", b"[" * 100_000, ", line 1: '[["),
        ("a.jsonl", b"7" * 5_000, ", line 1: '777"),
        ("a.jsonl", b'{"text": "a"}', ", line 1: there is no column 'label'; the columns are 'te"),
        ("a.jsonl", b'{"text": null, "label": 1}', ", line 1, column 'text': expected a text, fo"),
        ("a.jsonl", b'{"text": 5, "label": 1}', "expected a text, found a number. Write a string"),
        ("a.jsonl", b'{"text": "", "label": null}', ", line 1, column 'label': the label is miss"),
        ("a.jsonl", b'{"text": "", "label": NaN}', ", line 1, column 'label': the label is miss"),
        ("a.jsonl", b'{"text": "", "label": {}}', "'label': expected a label, found an object."),
        ("a.jsonl", b'{"text": "", "label": [1]}', "'label': expected a label, found a list."),
        ("a.jsonl", b'{"text": "\\ud83d", "label": 1}', "'text': '\\ud83d' is half of a surrogate"),
        ("a.parquet", b"text,label\n", ": cannot be read as Parquet ("),
        ("a.parquet", b"", ": cannot be read as Parquet ("),
        ("a.csv.gz", b"text,label\n", ": cannot be unpacked with gzip ("),
        ("a.csv.gz", CUT_GZIP, ": cannot be unpacked with gzip"),
        ("a.xlsx", b"text,label\na,b\n", ": the suffix must tell the format (.csv, .json,"),
        ("noname", b"text,label\na,b\n", ": the suffix must tell the format"),
    ],
)
def test_faults(tmp_path, name, content, expected):
    assert expected in fault(tmp_path / name, content)


@pytest.mark.parametrize(("text", "label", "wrong"), [("3", "1", "3"), ("1", "0", "0")])
def test_column_number_out_of_range(tmp_path, text, label, wrong):
    message = fault(tmp_path / "a.tsv", b"a\tb\n", text=text, label=label)
    assert f"line 1: there is no column {wrong}; they count from 1 to 2." in message


def test_second_fault_without_labels_is_placed(tmp_path):
    message = fault(tmp_path / "a.jsonl", b'{"text": "a"}\n{"text": null}', label=None)
    assert ", line 2, column 'text': expected a text, found null." in message


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"text": [1, 2], "label": ["a", "b"]}, ", column 'text': expected strings, found int64."),
        ({"text": ["a"], "label": [["b"]]}, ", column 'label': expected strings, numbers or boo"),
        ({"text": ["a"], "label": [date(2020, 1, 1)]}, "found date32[day]. Name another column"),
        ({"text": ["a", None], "label": ["a", "b"]}, ", row 2, column 'text': expected a text, fo"),
        ({"text": ["a", "b"], "label": ["a", None]}, ", row 2, column 'label': the label is miss"),
        ({"text": ["a"], "label": [float("nan")]}, ", row 1, column 'label': the label is missi"),
        ({"texts": ["a"], "label": ["b"]}, ", the schema: there is no column 'text'; the columns"),
        ({"text": pa.array([], pa.string()), "label": pa.array([], pa.string())}, ": there are no"),
    ],
)
def test_parquet_faults(tmp_path, columns, expected):
    content = write_parquet(tmp_path / "b.parquet", **columns).read_bytes()
    assert expected in fault(tmp_path / "a.parquet", content)


def test_missing_file_and_folder(tmp_path):
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(DataFileError, match="this is a folder"):
        read_examples(tmp_path, text="text")
    with pytest.raises(DataFileError, match=r"none': there is no such file"):
        read_examples(tmp_path / "none", text="text")
    with pytest.raises(
        DataFileError, match=r"none\.csv': there is no such file\. Check the path\."
    ):
        read_examples(tmp_path / "none.csv", text="text")
    with pytest.raises(DataFileError, match=r"folder\.csv': this is a folder"):
        read_examples(tmp_path / "folder.csv", text="text")
    with pytest.raises(DataFileError, match=r"none\.txt': there is no such file"):
        read_texts(tmp_path / "none.txt")


def test_many_columns_are_not_all_listed(tmp_path):
    header = ",".join(f"column{i}" for i in range(1000)).encode()
    message = fault(tmp_path / "a.csv", header)
    assert "'column19' and 980 more." in message
    assert len(message) < 500


def test_read_texts_faults(tmp_path, monkeypatch):
    (tmp_path / "a.txt").write_bytes(b"a\nb\xc3(\n")
    with pytest.raises(DataFileError, match=r"a\.txt', line 2: byte 0xc3 is not UTF-8"):
        read_texts(tmp_path / "a.txt")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    with pytest.raises(DataFileError, match="standard input: the file is empty"):
        read_texts("-")
    with pytest.raises(DataFileError, match="standard input: `format` must be given, one of csv, "):
        read_examples("-", text="text")


def test_wrong_arguments(tmp_path):
    path = write_csv(tmp_path / "a.csv")
    with pytest.raises(InvalidArgumentError, match="must be one of csv, tsv, jsonl, parquet"):
        read_examples(path, text="text", format="xlsx")
    with pytest.raises(InvalidArgumentError, match="must be two columns"):
        read_examples(path, text="text", label="text")


def test_check_labels():
    check_labels(["a", "b", "a"])
    with pytest.raises(DataFileError, match=r"^'x\.csv': .*all 3 are 'a'\. Add examples"):
        check_labels(["a"] * 3, "x.csv")
    with pytest.raises(DataFileError, match=r"^a classifier needs at least two .*there are none"):
        check_labels([])
    check_labels(["a", "b"] * 3, each=3)
    with pytest.raises(DataFileError, match=r"at least 3 examples; fewer are there of 'b', 'c'\."):
        check_labels(["a", "b", "a", "c", "a"], each=3)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.csv", "csv"),
        ("A.TSV.gz", "tsv"),
        ("a.ndjson", "jsonl"),
        ("a.pq", "parquet"),
        ("a", None),
    ],
)
def test_format_of(name, expected):
    assert format_of(name) == format_of(Path(name)) == expected


@pytest.mark.parametrize(
    ("header", "mark"),
    [("review;stars", "';'"), ("review|stars", "'|'"), ("review\tstars", "tabs")],
)
def test_columns_separated_otherwise_are_recognised(tmp_path, header, mark):
    (tmp_path / "a.csv").write_text(f"{header}\ngood;1\n")
    with pytest.raises(DataFileError, match=f"seem to be separated by {re.escape(mark)}"):
        read_examples(tmp_path / "a.csv", text="review")


def test_blank_lines_alone_are_empty_texts(tmp_path):
    (tmp_path / "a.txt").write_text("\n\n")
    assert read_texts(tmp_path / "a.txt") == ["", ""]


def test_many_rare_labels_are_not_all_listed():
    with pytest.raises(DataFileError, match=r"and 95 more\. .*name another column"):
        check_labels([str(i) for i in range(100)], each=2)
