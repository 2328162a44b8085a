"""The public names: adding or dropping one is a decision, so each is written down here."""

from importlib import import_module

import pytest

import rowwise

PUBLIC = {
    "rowwise": [
        "Checkpoints",
        "IdColumn",
        "Model",
        "RecordWords",
        "Sequential",
        "TextClassifier",
        "TextDataset",
        "Tokenizer",
        "Unfreeze",
        "Vectors",
        "Vocabulary",
        "__version__",
        "classify",
        "convert",
        "datasets",
        "errors",
        "export",
        "keras",
        "layers",
        "load_model",
        "serve",
        "suggest_output_dim",
        "text",
        "tokenizer_from_json",
        "training",
        "vectors",
        "viz",
    ],
    "rowwise.classify": [
        "RunReport",
        "TextClassifier",
        "load_model",
        "train_run",
        "train_run_files",
    ],
    "rowwise.datasets": ["ResumeDataset", "TextDataset"],
    "rowwise.export": ["FORMATS", "export_model", "onnx_model", "stock_model", "tokenizer_json"],
    "rowwise.layers": ["EmbedReduce", "Embedding", "Pool", "WordPairs", "suggest_output_dim"],
    "rowwise.serve": ["Limits", "create_app", "listen", "run"],
    "rowwise.text": [
        "DEFAULT_FILTERS",
        "EncodedTexts",
        "ExampleFiles",
        "Examples",
        "IdColumn",
        "IdCounts",
        "Splitter",
        "Tokenizer",
        "Vocabulary",
        "WordCounts",
        "Words",
        "count_words",
        "hashing_trick",
        "make_sampling_table",
        "one_hot",
        "pad_sequences",
        "read_examples",
        "read_texts",
        "skipgrams",
        "text_to_word_sequence",
        "tokenizer_from_json",
    ],
    "rowwise.training": [
        "Checkpoints",
        "Model",
        "RecordWords",
        "Sequential",
        "Unfreeze",
        "clone_model",
        "convert",
        "load_checkpoint",
        "load_keras_model",
        "save_checkpoint",
        "save_model",
    ],
    "rowwise.vectors": ["ApproximateIndex", "Coverage", "Vectors"],
    "rowwise.viz": [
        "Comparison",
        "Journey",
        "Moved",
        "PageReport",
        "compare",
        "page_html",
        "plot_comparison",
        "plot_confusion",
        "plot_history",
        "plot_journey",
        "plot_map",
        "project",
        "save_figure",
        "save_journey",
        "write_page",
        "write_projector",
    ],
    "rowwise.keras.preprocessing.sequence": ["make_sampling_table", "pad_sequences", "skipgrams"],
    "rowwise.keras.preprocessing.text": [
        "Tokenizer",
        "hashing_trick",
        "one_hot",
        "text_to_word_sequence",
        "tokenizer_from_json",
    ],
}
ERRORS = {
    "BackendError",
    "DataFileError",
    "InvalidArgumentError",
    "InvalidIdError",
    "InvalidShapeError",
    "InvalidTextError",
    "MissingExtraError",
    "RowwiseError",
    "UnknownWordError",
    "WorkerError",
}


@pytest.mark.parametrize("module", PUBLIC)
def test_names_are_pinned_and_resolve(module):
    package = import_module(module)
    assert sorted(package.__all__) == PUBLIC[module]
    for name in package.__all__:
        assert getattr(package, name) is not None
    assert set(package.__all__) <= set(dir(package))


def test_errors_are_pinned():
    found = {
        name
        for name, value in vars(rowwise.errors).items()
        if isinstance(value, type) and issubclass(value, Exception)
    }
    assert found == ERRORS
    assert all(
        issubclass(getattr(rowwise.errors, name), rowwise.errors.RowwiseError) for name in ERRORS
    )


def test_short_names_are_the_same_objects():
    assert rowwise.Model is rowwise.training.Model
    assert rowwise.Sequential is rowwise.training.Sequential
    assert rowwise.TextClassifier is rowwise.classify.TextClassifier
    assert rowwise.TextDataset is rowwise.datasets.TextDataset
    assert rowwise.Vectors is rowwise.vectors.Vectors
    assert rowwise.Vocabulary is rowwise.text.Vocabulary
    assert rowwise.load_model is rowwise.classify.load_model


def test_the_drop_in_namespace_holds_rowwises_parts():
    assert rowwise.keras.layers.Embedding is rowwise.layers.Embedding
    assert rowwise.keras.Model is rowwise.keras.models.Model is rowwise.Model
    assert rowwise.keras.Sequential is rowwise.keras.models.Sequential is rowwise.Sequential
    assert rowwise.keras.models.load_model is rowwise.keras.saving.load_model
    assert rowwise.keras.callbacks.Unfreeze is rowwise.Unfreeze
    assert rowwise.keras.preprocessing.text.Tokenizer is rowwise.Tokenizer


def test_unknown_names():
    with pytest.raises(AttributeError, match="module 'rowwise' has no attribute 'Embedding'"):
        rowwise.Embedding  # noqa: B018
    with pytest.raises(ImportError, match="cannot import name 'nothing'"):
        from rowwise import nothing  # noqa: F401


def test_star_import():
    names: dict[str, object] = {}
    exec("from rowwise import *", names)
    assert set(PUBLIC["rowwise"]) <= set(names)
