"""What goes to the terminal: tables to standard output, warnings and progress to standard error."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console

if TYPE_CHECKING:
    from rich.console import RenderableType

_ARGUMENTS: ContextVar[Sequence[str] | None] = ContextVar("arguments", default=None)


@contextmanager
def progress(text: str) -> Iterator[Callable[[str], None]]:
    """Show a spinner while something runs, on a terminal only; yields a function that changes its text."""
    console = Console(stderr=True, highlight=False, markup=False)
    if not console.is_terminal:
        yield lambda _: None
        return
    with console.status(text) as status:
        yield status.update


@contextmanager
def counting(text: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show a bar while many things are done, on a terminal only; yields a function that is told how many are done."""
    console = Console(stderr=True, highlight=False, markup=False)
    if not console.is_terminal:
        yield lambda _: None
        return
    from rich.progress import Progress

    with Progress(console=console) as bar:
        task = bar.add_task(text, total=total)
        yield lambda done: bar.update(task, completed=done)


def print_report(report: RenderableType) -> None:
    """Print a report to standard output."""
    Console(highlight=False, markup=False).print(report)


def print_warnings(warnings: Iterable[str]) -> None:
    """Print one line per warning to standard error."""
    for warning in warnings:
        typer.echo(f"warning: {' '.join(warning.split())}", err=True)


def write_json(record: dict[str, Any], place: str) -> None:
    """Write a record to a file, or to standard output when the place is ``-``."""
    from orderparam.records import to_json, write_text

    if place == "-":
        typer.echo(to_json(record), nl=False)
    else:
        write_text(place, to_json(record))


def remember(arguments: Sequence[str] | None) -> None:
    """Keep the arguments of this run for `command_line`; None stands for those of the process."""
    _ARGUMENTS.set(arguments)


def command_line() -> str:
    """Return the command that runs, as it was typed."""
    arguments = _ARGUMENTS.get()
    return shlex.join(["orderparam", *(sys.argv[1:] if arguments is None else arguments)])


def write_page(place: str, page: str, drawing: Mapping[str, Any] | None = None) -> None:
    """Write a page, say where it is, and warn where its drawing has too many atoms."""
    from orderparam.records import write_text

    write_text(place, page)
    typer.echo(f"page: {place}", err=True)
    if drawing:
        from orderparam.report.scene import left_out

        print_warnings([told] if (told := left_out(drawing)) else [])
