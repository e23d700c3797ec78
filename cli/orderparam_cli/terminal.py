"""What goes to the terminal: tables to standard output, warnings and progress to standard error."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console

if TYPE_CHECKING:
    from rich.console import RenderableType


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
