"""Bad input: one clear line on standard error, exit code 2, nothing else."""

import pickle
import sys
import zipfile

import numpy as np
import pytest

from rowwise.backend import keras
from rowwise.cli import options
from rowwise.text import examples

TRAIN = "--text text --label label -o {folder}/run"
GOOD = b"text,label\n" + b"a b,yes\nc d,no\n" * 10
HEAD = b"text,label\n"

# File name -> content; {folder} in the arguments is where they lie.
FILES = {
    "good.csv": GOOD,
    "good.txt": b"one\ntwo\n",
    "good.dat": GOOD,
    "empty.csv": b"",
    "header.csv": HEAD,
    "utf8.csv": HEAD + b"a,yes\n\xff,no\n",
    "utf16.csv": GOOD.decode().encode("utf-16"),
    "ragged.csv": HEAD + b"a,yes\nb,c,no\n",
    "quote.csv": HEAD + b'a,yes\n"b,no\n',
    "one_class.csv": HEAD + b"a,yes\nb,yes\n",
    "rare.csv": GOOD + b"e f,odd\n",
    "no_text.csv": HEAD + b',yes\n" ",no\n' * 10,
    "no_label.csv": HEAD + b"a,yes\nb,\n",
    "four.csv": HEAD + b"a,yes\nb,no\n" * 2,
    "bad.jsonl": b'{"text": "a", "label": 1}\n{"text": \n',
    "missing.jsonl": b'{"text": "a", "label": 1}\n{"text": "b"}\n',
    "bad.parquet": b"PAR1 and so on",
    "bad.csv.gz": b"not packed",
    "words.txt": b"good 1 2\nbad 1\n",
    "junk.keras": b"no model at all",
    "h5.keras": b"\x89HDF\r\n\x1a\n and so on",
    "pairs.txt": b"good better 3\n",
    "vectors.txt": b"good 1 2\nbetter 2 3\n",
}

# Arguments, and what the line has to say.
CASES = [
    # The command line itself.
    ("trian x", "There is no command 'trian'. Did you mean 'train'?"),
    ("sing", "There is no command 'sing'. Choose from: analogy, benchmark, "),
    ("serve v.txt --port abc", "'--port': 'abc' is not a valid whole number."),
    ("train", "Missing argument 'FILE'. See: rowwise train --help"),
    ("train {folder}/good.csv --label label -o x", "Missing option '--text'"),
    ("train {folder}/good.csv --text text --label label", "Missing option '-o' / '--output'"),
    ("train {folder}/good.csv " + TRAIN + " --head tree", "'tree' is not one of 'pooled', "),
    ("train {folder}/good.csv " + TRAIN + " --epochs 0", "0 is not in the range x>=1"),
    ("train {folder}/good.csv " + TRAIN + " --test-share 1", "'--test-share'"),
    ("train {folder}/good.csv " + TRAIN + " --format xlsx", "'xlsx' is not one of 'csv', "),
    ("train {folder}/good.csv " + TRAIN + " --freeze", "--vectors, which is missing"),
    ("train {folder}/good.csv " + TRAIN + " --patience 2", "too few texts of a label"),
    ("train {folder}/good.csv --lable label", "Did you mean '--label'?"),
    # The file of texts.
    ("train {folder}/none.csv " + TRAIN, "none.csv': there is no such file."),
    ("train {folder} --format csv " + TRAIN, "this is a folder. Name a file in it."),
    ("train {folder}/good.dat " + TRAIN, "the suffix must tell the format"),
    ("train - " + TRAIN, "standard input: `format` must be given"),
    ("train - --format csv " + TRAIN, "standard input: the file is empty."),
    ("train {folder}/empty.csv " + TRAIN, "empty.csv': the file is empty."),
    ("train {folder}/header.csv " + TRAIN, "header.csv': there are no rows of data."),
    ("train {folder}/utf8.csv " + TRAIN, "line 3: byte 0xff is not UTF-8."),
    ("train {folder}/utf16.csv " + TRAIN, "line 1: a NUL byte: this is UTF-16"),
    ("train {folder}/ragged.csv " + TRAIN, "line 3: expected 2 fields"),
    ("train {folder}/quote.csv " + TRAIN, "line 3: the quote before 'b,no\\n' is never closed"),
    ("train {folder}/bad.jsonl " + TRAIN, "line 2: '{\"text\": ' is not JSON"),
    ("train {folder}/missing.jsonl " + TRAIN, "line 2: there is no column 'label'"),
    ("train {folder}/bad.parquet " + TRAIN, "cannot be read as Parquet"),
    ("train {folder}/bad.csv.gz " + TRAIN, "cannot be unpacked with gzip"),
    ("train {folder}/good.csv --text txt --label label -o x", "Did you mean 'text'?"),
    ("train {folder}/good.csv --text text --label 7 -o x", "there is no column '7'"),
    ("train {folder}/good.csv --text text --label text -o x", "must be two columns"),
    ("train {folder}/no_label.csv " + TRAIN, "line 3, column 'label': the label is missing"),
    ("train {folder}/no_text.csv " + TRAIN, "all texts are empty"),
    ("train {folder}/one_class.csv " + TRAIN, "at least two different labels; all 2 are 'yes'"),
    ("train {folder}/rare.csv " + TRAIN, "at least 2 examples; fewer are there of 'odd'"),
    ("train {folder}/four.csv " + TRAIN, "Cannot keep 20% of 4 texts apart"),
    # The folder for the run, and vectors.
    ("train {folder}/good.csv " + TRAIN.replace("run", "good.txt"), "good.txt' is a file;"),
    ("train {folder}/good.csv " + TRAIN.replace("run", "good.txt/run"), "good.txt' is a file;"),
    ("demo -o {folder}/good.txt", "good.txt' is a file; --output must name a folder."),
    ("train {folder}/good.csv " + TRAIN + " --vectors {folder}/none.txt", "none.txt'."),
    ("train {folder}/good.csv " + TRAIN + " --vectors {folder}/words.txt", "line 2: expected"),
    # What should be a model.
    ("predict {folder}/none.keras hello", "no file or folder '"),
    ("predict {folder} hello", "There is no model.keras in the folder"),
    ("predict {folder}/junk.keras hello", "is no model, or not a whole one. Expected"),
    ("predict {folder}/h5.keras hello", "is no model, or not a whole one. Expected"),
    ("predict {folder}/plain.keras hello", "holds a Keras model and no TextClassifier."),
    ("predict {folder}/other.zip hello", "is a zip file, but no model. Expected"),
    ("predict {folder}/cut.keras hello", "is no model, or not a whole one."),
    ("predict {folder}/flipped.keras hello", "is damaged (at model.weights.h5)."),
    ("evaluate {folder}/junk.keras {folder}/good.csv --text text --label label", "is no model"),
    # Texts to predict for.
    ("predict {trained}", "Give texts as arguments, or --file FILE, or - for standard input."),
    ("predict {trained} hello --file {folder}/good.txt", "Give texts as arguments, or --file"),
    ("predict {trained} hello --text text", "say how to read --file, which is missing"),
    ("predict {trained} --file {folder}/good.csv", "good.csv' is a csv file: name its column"),
    ("predict {trained} --file {folder}/none.txt", "none.txt': there is no such file."),
    ("predict {trained} --file {folder}/none.csv", "none.csv': there is no such file."),
    ("predict {trained} -", "standard input: the file is empty."),
    ("predict {trained} \udcff", "Text 1 is not UTF-8: '\\udcff'."),
    # Files to evaluate on.
    ("evaluate {trained} {folder}/good.csv --text text --label nope", "no column 'nope'"),
    ("evaluate {trained} {folder}/header.csv --text text --label label", "no rows of data"),
    # Neighbours.
    ("neighbors {folder}/none.txt good", "There is no file of vectors at '"),
    ("neighbors {folder} good", "holds no vectors: expected model.safetensors"),
    ("neighbors {folder}/words.txt good", "line 2: expected a word and 2 numbers"),
    ("neighbors {folder}/empty.csv good", "empty.csv' holds no vectors"),
    ("neighbors {folder}/plain.keras good", "plain.keras' has no vocabulary"),
    ("neighbors {folder}/flipped.keras good", "is damaged or cut short"),
    ("neighbors {folder}/vectors.txt goood", "Did you mean 'good'?"),
    ("neighbors {folder}/vectors.txt Good", "'good' in lower case is there."),
    ("neighbors {trained} excelent", "Did you mean 'excellent'"),
    ("neighbors {folder}/vectors.txt good -n 0", "0 is not in the range x>=1"),
    ("neighbors {folder}/vectors.txt", "Missing argument 'WORDS...'"),
    ("neighbors {folder}/vectors.txt good beter", "'beter' has no row among 2. Did you mean"),
    # Errors name the options of the command, or those of the command that has them.
    ("neighbors {folder}/two.zip good", "for instance --member 'a.txt'."),
    ("analogy {folder}/pickle good", "pass --unpickle: it is then read"),
    ("benchmark {folder}/lonely/v.npy {folder}/pairs.txt", "has a word a line: --words PATH."),
    ("info {folder}/vectors.txt --member 3", "Error: --member chooses a file in a zip"),
    ("convert {folder}/vectors.txt {folder}/o.bin", "--format 'word2vec-binary' or --format"),
    ("convert {folder}/vectors.txt {folder}/o.xyz", "or --format one of"),
    (
        "train {folder}/good.csv " + TRAIN + " --vectors {folder}/pickle",
        "pass `rowwise convert --unpickle`",
    ),
    # Analogies and benchmarks.
    ("analogy {folder}/none.txt good", "There is no file of vectors at '"),
    ("analogy {folder}/vectors.txt good-", "Expected a word at its end in the formula 'good-'"),
    (
        "analogy {folder}/vectors.txt good+beter",
        "'beter' has no row among 2. Did you mean 'better'",
    ),
    ("analogy {folder}/vectors.txt good --method sub", "'sub' is not one of 'add', 'mul'"),
    ("benchmark {folder}/vectors.txt", "Missing argument 'FILES...'"),
    ("benchmark {folder}/vectors.txt {folder}/none.txt", "There is no file '"),
    ("benchmark {folder}/vectors.txt {folder}/words.txt", "line 2: expected two words and"),
    ("benchmark {folder}/vectors.txt {folder}/empty.csv", "holds no benchmark"),
    ("benchmark {folder}/none.txt {folder}/pairs.txt", "There is no file of vectors at '"),
    ("benchmark {folder}/vectors.txt {folder}/pairs.txt --limit 0", "0 is not in the range x>=1"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory, trained):
    folder = tmp_path_factory.mktemp("bad")
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)]).save(folder / "plain.keras")
    with zipfile.ZipFile(folder / "other.zip", "w") as archive:
        archive.writestr("a.txt", "a")
    with zipfile.ZipFile(folder / "two.zip", "w") as archive:
        archive.writestr("a.txt", "good 1 2\nbad 2 1\n")
        archive.writestr("b.txt", "good 1 2 3\nbad 2 1 3\n")
    (folder / "lonely").mkdir()
    np.save(folder / "lonely" / "v.npy", np.eye(2))
    (folder / "pickle").write_bytes(pickle.dumps({"gensim": 1}, protocol=4))
    model = np.frombuffer((trained.folder / "model.keras").read_bytes(), dtype=np.uint8).copy()
    (folder / "cut.keras").write_bytes(model[: len(model) // 2].tobytes())
    model[len(model) // 2] ^= 255
    (folder / "flipped.keras").write_bytes(model.tobytes())
    return folder


@pytest.mark.parametrize(("arguments", "expected"), CASES)
def test_one_line(rowwise, folder, trained, arguments, expected):
    places = {"folder": folder, "trained": trained.folder}
    done = rowwise(*(argument.format(**places) for argument in arguments.split()))
    assert done.code == 2
    assert done.out == ""
    (line,) = done.err.splitlines()
    assert line.startswith("Error: ")
    assert expected in line
    assert "Traceback" not in line
    assert not (folder / "run").exists() or "Cannot keep" in expected


def test_no_permission(rowwise, folder, monkeypatch):
    # Asked of the operating system, since nothing is forbidden to root.
    monkeypatch.setattr("os.access", lambda path, mode: False)
    done = rowwise(
        "train", folder / "good.csv", "--text", "text", "--label", "label", "-o", folder / "new"
    )
    assert done.code == 2
    assert done.err.startswith(f"Error: No permission to write to the folder {str(folder)!r}.")


def test_a_folder_that_cannot_be_made(rowwise, folder):
    done = rowwise("demo", "-o", folder / ("n" * 300))
    assert done.code == 2
    assert len(done.err.splitlines()) == 1
    assert "too long" in done.err


def test_ctrl_c(rowwise, folder, monkeypatch, tmp_path):
    def interrupted(self, *arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("rowwise.classify.TextClassifier.fit", interrupted)
    monkeypatch.setattr("os._exit", sys.exit)  # which would end the tests, too
    columns = ("--text", "text", "--label", "label")
    done = rowwise("train", folder / "good.csv", *columns, "-o", tmp_path / "run")
    assert (done.code, done.out) == (130, "")
    assert done.err.strip() == "Interrupted: nothing was saved."
    assert not (tmp_path / "run").exists()


def test_the_formats_are_those_that_can_be_read():
    taken = options.format_option(lambda: None).__click_params__[0].type.choices
    assert list(taken) == list(examples._READERS)
