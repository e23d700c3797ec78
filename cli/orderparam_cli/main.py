"""The program `orderparam`: its commands, and what happens when one of them meets bad input."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from inspect import cleandoc
from typing import Annotated

import typer

from orderparam import __version__
from orderparam.errors import OrderParamError

from .carriers import carriers
from .directions import directions, irreps
from .distort import distort
from .fit import fit
from .invariants import invariants
from .modes import modes
from .parent import parent
from .predict import predict
from .report import demo, report
from .subgroups import domains, subgroups
from .symmetry import symmetry
from .terminal import remember

COMMANDS = (
    modes, fit, predict, carriers, parent, symmetry,
    directions, irreps, invariants, subgroups, domains, distort, report, demo,
)  # fmt: skip
"""As the help lists them."""


def _help(command: Callable[..., None]) -> str:
    """Return a docstring with one line per paragraph, for the terminal to break; examples stay as they are."""
    paragraphs = cleandoc(command.__doc__ or "").split("\n\n")
    return "\n\n".join(p if p.startswith(" ") else " ".join(p.split()) for p in paragraphs)


app = typer.Typer(
    name="orderparam",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in COMMANDS:
    app.command(command.__name__, help=_help(command))(command)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"orderparam {__version__}")
        raise typer.Exit


def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Find what breaks the symmetry of a crystal.

    Give a high-symmetry parent and a distorted child as CIF, POSCAR or any other crystal file. `modes` names the
    order parameters exactly; `fit` lets an equivariant network find them and verifies it; `parent` proposes a
    parent for a child alone; `demo` shows all that on a shipped example. Each command explains itself and gives
    examples with --help.

    For example:

      orderparam modes cubic.cif distorted.cif

      orderparam fit cubic.cif distorted.cif --html page.html
    """
    del version


app.callback(help=_help(main))(main)


def run(arguments: Sequence[str] | None = None) -> None:
    """Run the program: 0 when it worked, 1 with one line for bad input, 2 for wrong usage.

    Any other exception is a bug and keeps its traceback.
    """
    remember(arguments)
    try:
        app(args=None if arguments is None else list(arguments))
    except OrderParamError as problem:
        typer.echo(f"error: {' '.join(str(problem).split())}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    run()
