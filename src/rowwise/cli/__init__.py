"""The command line: each command parses its arguments and calls a public function."""

import io
import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module

import click

from rowwise import __version__
from rowwise.errors import RowwiseError

# Each stands in a module of its own name, which is loaded when the command is asked for.
COMMANDS = (
    "analogy",
    "benchmark",
    "convert",
    "demo",
    "doctor",
    "evaluate",
    "export",
    "info",
    "map",
    "neighbors",
    "predict",
    "serve",
    "train",
)

# What shells report of a program that Ctrl-C ended: 128 and the number of SIGINT.
INTERRUPTED = 130


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"rowwise.cli.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in COMMANDS and not args[0].startswith("-") and not ctx.resilient_parsing:
            near = get_close_matches(args[0], COMMANDS, n=1)
            meant = f"Did you mean {near[0]!r}?" if near else f"Choose from: {', '.join(COMMANDS)}."
            ctx.fail(f"There is no command {args[0]!r}. {meant}")
        return super().resolve_command(ctx, args)


@click.group(
    cls=_Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="rowwise")
@click.pass_context
def commands(ctx: click.Context) -> None:
    """Train text classifiers with embedding layers, and look at what they learned."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def main(args: Sequence[str] | None = None) -> None:
    """Run a command and exit.

    What is wrong with the input is one line on standard error and exit code 2; Ctrl-C is exit
    code 130.

    Args:
        args: the words after ``rowwise``; by default those that the program was started with.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Texts and labels may hold characters that the terminal's encoding does not have.
            stream.reconfigure(errors="backslashreplace")
    try:
        status = commands.main(args, prog_name="rowwise", standalone_mode=False)
    except click.exceptions.Abort as error:
        if not isinstance(error.__cause__, KeyboardInterrupt):
            raise
        click.echo("Interrupted: nothing was saved.", err=True)
        sys.stdout.flush()
        # Not sys.exit: frameworks whose threads still compile may crash while Python ends.
        os._exit(INTERRUPTED)
    except click.UsageError as error:
        where = "rowwise" if error.ctx is None else error.ctx.command_path
        _fail(f"{error.format_message()} See: {where} --help")
    except click.ClickException as error:
        _fail(error.format_message())
    except BrokenPipeError:
        sys.exit(1)  # whoever read the output has gone, as `head` does
    except OSError as error:
        reason = error.strerror or str(error)
        _fail(reason if error.filename is None else f"{reason}: {error.filename!r}")
    except RowwiseError as error:
        _fail(str(error))
    sys.exit(status)


def _fail(message: str) -> None:
    click.echo(f"Error: {' '.join(message.split())}", err=True)
    sys.exit(2)
