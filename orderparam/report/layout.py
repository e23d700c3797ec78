"""Headings, tables and named values for the terminal, as rich renderables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.table import Table
from rich.text import Text


def bold_heading(text: str) -> Text:
    """Return a heading."""
    return Text(text, style="bold")


def plain_table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    right: Sequence[int] = (),
    fold: Sequence[int] = (),
) -> RenderableType:
    """Return a title and a plain table; `right` lists the columns of numbers, `fold` those that may wrap.

    Where that does not make it fit, all columns may.
    """
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for number, column in enumerate(columns):
        justify = "right" if number in right else "left"
        table.add_column(Text(column), justify=justify, overflow="fold", no_wrap=number not in fold)
    texts = [[str(cell) for cell in row] for row in rows]
    for row in texts:
        table.add_row(*map(Text, row))
    widths = [max(map(cell_len, column)) for column in zip(columns, *texts, strict=True)]
    needed = sum(min(width, 10) if number in fold else width for number, width in enumerate(widths))
    return Group(bold_heading(title), _Fitted(table, needed + 3 * len(columns) - 1))


@dataclass(frozen=True)
class _Fitted:
    """A table of which nothing is cut off: too narrow a terminal makes all columns wrap."""

    table: Table
    needed: int

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        for column in self.table.columns if self.needed > options.max_width else ():
            column.no_wrap = False
        yield self.table


def named_values(rows: Iterable[tuple[str, str]]) -> Table:
    """Return names and values in two columns."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(Text(f"  {name}"), Text(value))
    return table
