"""The program `orderparam`: its commands, and what happens when one of them meets bad input."""

from __future__ import annotations

import sys
from collections.abc import Sequence
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

app = typer.Typer(
    name="orderparam",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("fit")(fit)
app.command("predict")(predict)
app.command("carriers")(carriers)
app.command("modes")(modes)
app.command("parent")(parent)
app.command("symmetry")(symmetry)
app.command("directions")(directions)
app.command("irreps")(irreps)
app.command("subgroups")(subgroups)
app.command("domains")(domains)
app.command("distort")(distort)
app.command("report")(report)
app.command("demo")(demo)
app.command("invariants")(invariants)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"orderparam {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Find what breaks the symmetry of a crystal.

    Give a high-symmetry parent and a distorted child as CIF, POSCAR or any other crystal file. `modes` names the
    order parameters exactly; `fit` lets an equivariant network find them and verifies it; `parent` proposes a
    parent for a child alone; `symmetry` reports the space group of a file.
    """
    del version


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
