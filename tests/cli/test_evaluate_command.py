"""``rowwise evaluate``: its figures are scikit-learn's."""

import csv

import pytest
from sklearn.metrics import accuracy_score, f1_score, precision_recall_fscore_support

COLUMNS = ("--text", "text", "--label", "label")


@pytest.fixture(scope="module")
def rows(trained):
    with trained.file.open(newline="", encoding="utf-8") as file:
        return [(row["text"], row["label"]) for row in csv.DictReader(file)][:120]


@pytest.mark.parametrize("unknown", [0, 7])
def test_figures(rowwise, trained, rows, write_csv, tmp_path, unknown):
    rows = [(text, "odd" if i < unknown else label) for i, (text, label) in enumerate(rows)]
    file = write_csv(tmp_path / "a.csv", ("text", "label"), *rows)
    done = rowwise("evaluate", trained.folder, file, *COLUMNS, "--json")
    assert (done.code, done.err) == (0, "")
    labels = [label for _, label in rows]
    predicted = [
        line["label"]
        for line in rowwise(
            "predict", trained.folder, "--file", file, "--text", "text", "--json"
        ).json_lines
    ]
    result = done.json
    assert result["texts"] == 120
    assert result["accuracy"] == pytest.approx(accuracy_score(labels, predicted))
    assert result["macro_f1"] == pytest.approx(
        f1_score(labels, predicted, average="macro", zero_division=0)
    )
    assert result["unknown_labels"] == ["odd"] * (unknown > 0)
    names = sorted({*labels, *predicted})
    assert list(result["labels"]) == names
    figures = precision_recall_fscore_support(labels, predicted, labels=names, zero_division=0)
    for name, precision, recall, f1, texts in zip(names, *figures, strict=True):
        expected = {"texts": texts, "precision": precision, "recall": recall, "f1": f1}
        assert result["labels"][name] == pytest.approx(expected)


def test_what_a_person_reads(rowwise, trained, write_csv, tmp_path):
    rows = [("Wonderful, great", "positive"), ("terrible, rude", "negative"), ("great", "好 评")]
    file = write_csv(tmp_path / "a.csv", ("text", "label"), *rows)
    done = rowwise("evaluate", trained.folder / "model.keras", file, *COLUMNS)
    assert done.code == 0
    assert done.out.splitlines() == [
        "3 texts, accuracy 66.7 %, macro F1 55.6 %",
        "label     texts  precision   recall       F1",
        "negative      1    100.0 %  100.0 %  100.0 %",
        "positive      1     50.0 %  100.0 %   66.7 %",
        "好 评         1      0.0 %    0.0 %    0.0 %",
    ]
    assert done.err == "Note: wrong in any case, since the model never saw them: 好 评 (1).\n"
