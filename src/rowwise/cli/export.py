"""``rowwise export``: a model in the format of another program."""

import shlex
import warnings
from pathlib import Path

import click

from rowwise.cli.models import model_path
from rowwise.cli.options import json_option
from rowwise.cli.output import echo_json
from rowwise.cli.sources import noted
from rowwise.errors import InvalidArgumentError

# Each format, and how the folder or a file in it is used. `rowwise.export`, which has the formats,
# would load Keras.
USES = {
    "keras": ("keras.models.load_model({})", "model.keras"),
    "onnx": ("onnxruntime.InferenceSession({})", "model.onnx"),
    "saved_model": ("tensorflow.saved_model.load({})", ""),
    "safetensors": ("safetensors.numpy.load_file({})", "tables.safetensors"),
    "model2vec": ("model2vec.StaticModel.from_pretrained({}).encode(texts)", ""),
    "projector": ("tensorboard --logdir {}", ""),
}
IN_A_SHELL = ("projector",)
# With the models that take ids.
TOKENIZER_USE = ("tokenizers.Tokenizer.from_file({}).encode(text).ids", "tokenizer.json")
WITH_TOKENIZER = ("keras", "onnx", "saved_model")


@click.command(name="export")
@click.argument("model", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "file_format",
    required=True,
    type=click.Choice(list(USES)),
    help="keras: a model of stock Keras layers. onnx: for onnxruntime and others. saved_model: for "
    "TensorFlow. safetensors: the tables. model2vec: words and rows as a static model. projector: "
    "the same for TensorBoard.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Folder to write to.  [default: the name of MODEL, a hyphen and the format]",
)
@click.option("--layer", help="Which table, where several have words (model2vec, projector).")
@json_option
def command(
    model: Path, file_format: str, output: Path | None, layer: str | None, as_json: bool
) -> None:
    """Write MODEL for a program that knows no rowwise.

    MODEL is a .keras or .h5 file, or a folder that `rowwise train` wrote. With a text classifier
    go tokenizer.json, which makes ids of texts, and labels.json.
    """
    source = model_path(model)
    folder = output or Path(f"{model.resolve().with_suffix('').name}-{file_format}")
    from rowwise.classify import load_model
    from rowwise.export import export_model

    try:
        with noted():
            # An optimizer's state, which may be lost on the way, is not exported.
            warnings.filterwarnings("ignore", "Skipping variable loading for optimizer")
            written = export_model(load_model(source), folder, file_format, layer=layer)
    except InvalidArgumentError as error:
        # Errors name Python's arguments, and this is an option here.
        raise InvalidArgumentError(str(error).replace("`layer`", "--layer")) from error
    if as_json:
        names = [path.relative_to(folder).as_posix() for path in written]
        echo_json({"folder": str(folder), "format": file_format, "files": names})
        return
    click.echo(f"Everything is in the folder {folder}:")
    click.echo("  " + "  ".join(path.relative_to(folder).as_posix() for path in written))
    uses = [USES[file_format]]
    if file_format in WITH_TOKENIZER and folder / "tokenizer.json" in written:
        uses.append(TOKENIZER_USE)
    quoted = shlex.quote if file_format in IN_A_SHELL else repr
    for use, file in uses:
        click.echo("Use: " + use.format(quoted(str(folder / file))))
    if file_format == "keras":
        click.echo("Keras takes TensorFlow, unless KERAS_BACKEND names another backend.")
