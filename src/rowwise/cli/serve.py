"""``rowwise serve``: questions over HTTP, and the live explorer."""

import os
import secrets
import zipfile
from pathlib import Path
from typing import Any

import click

from rowwise.cli.models import MODEL_FILE, load_classifier
from rowwise.cli.options import WholeNumber
from rowwise.cli.output import one_line
from rowwise.cli.sources import VectorSource, vector_source

TOKEN_VARIABLE = "ROWWISE_TOKEN"


@click.command(name="serve")
@vector_source
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen on. One that other machines reach takes a token.",
)
@click.option(
    "--port",
    type=WholeNumber(0, 65535),
    default=8000,
    show_default=True,
    help="Port; 0 for any that is free.",
)
@click.option("--token-file", help="File that holds the token every request must carry.")
@click.option("--new-token", is_flag=True, help="Make a token, and print it with the address.")
@click.option(
    "--allow-host",
    "allow_hosts",
    multiple=True,
    metavar="HOST",
    help="Further name that the server is asked by. Can be given several times.",
)
@click.option(
    "--cors",
    multiple=True,
    metavar="ORIGIN",
    help="Origin of pages whose scripts may ask, such as https://words.example.org. Can be given "
    "several times.",
)
@click.option("--max-k", type=int, help="Neighbours of a word at most.  [default: 1000]")
@click.option("--max-batch", type=int, help="Words or texts of a request.  [default: 256]")
@click.option("--max-bytes", type=int, help="Bytes of a request's body.  [default: 1048576]")
@click.option("--max-seconds", type=float, help="Seconds for a request.  [default: 10]")
def command(
    source: VectorSource,
    host: str,
    port: int,
    token_file: str | None,
    new_token: bool,
    allow_hosts: tuple[str, ...],
    cors: tuple[str, ...],
    max_k: int | None,
    max_batch: int | None,
    max_bytes: int | None,
    max_seconds: float | None,
) -> None:
    """Answer questions about SOURCE over HTTP, and show it in a browser.

    A classifier tells labels, too. The token of --token-file may be in the environment variable
    ROWWISE_TOKEN instead. Ctrl-C stops the server.
    """
    from rowwise.serve import Limits, listen, run
    from rowwise.serve.access import Hosts, check_origins, host_of

    token = _token(token_file, new_token)
    chosen = {"k": max_k, "batch": max_batch, "body_bytes": max_bytes, "seconds": max_seconds}
    limits = Limits(**{name: value for name, value in chosen.items() if value is not None})  # type: ignore[arg-type]
    # Before the model is loaded, which may take long.
    Hosts(more=allow_hosts)
    check_origins(cors)
    if host_of(host):  # whoever names the server so to start it will ask for it so
        allow_hosts = (*allow_hosts, host)
    with listen(host, port, token=token) as listener:
        model = load(source)

        def ready(address: str) -> None:
            page = f"{address}?token={token}" if new_token else address
            click.echo(f"Serving {describe(model)} at {page}")
            click.echo("Ctrl-C stops the server.", err=True)

        run(
            model,
            listener,
            name=one_line(Path(source.source).name) or source.source,
            limits=limits,
            token=token,
            allow_hosts=allow_hosts,
            cors=cors,
            ready=ready,
        )


def load(source: VectorSource) -> Any:
    """The classifier that ``source`` names, or its vectors.

    Raises:
        DataFileError: there is neither.
    """
    path = Path(source.source)
    path = path / MODEL_FILE if Path(path, MODEL_FILE).is_file() else path
    if not _is_model(path) or source.member is not None:
        return source.load()
    from rowwise.classify.storage import read_description

    return source.load() if read_description(path) is None else load_classifier(path)


def describe(model: Any) -> str:
    """What is served, in a few words."""
    from rowwise.text.wording import counted
    from rowwise.vectors import Vectors

    if isinstance(model, Vectors):
        return f"{counted(len(model), 'word')} x {counted(model.dimension, 'column')}"
    return f"a classifier of {counted(len(model.classes_), 'label')}"


def _is_model(path: Path) -> bool:
    """Whether a model of Keras is at ``path``: Keras takes seconds to load, to look closer."""
    try:
        with zipfile.ZipFile(path) as archive:
            return "config.json" in archive.namelist()
    except (OSError, ValueError, zipfile.BadZipFile):
        return False


def _token(file: str | None, new: bool) -> str | None:
    """The token of the file or of the environment, a new one, or none."""
    if file is not None and new:
        raise click.UsageError("Give --token-file or --new-token, not both.")
    if new:
        return secrets.token_urlsafe(32)
    if file is not None:
        # What is no UTF-8 is no token either, which is said where tokens are checked.
        return Path(file).read_text(encoding="utf-8", errors="replace").strip()
    return os.environ.get(TOKEN_VARIABLE) or None
