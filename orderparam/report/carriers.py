"""The report of carriers compared."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from orderparam.discovery.comparison import ComparedCarrier

from .layout import plain_table
from .summary import _group_text


def carriers_report(compared: Sequence[ComparedCarrier], primaries: Sequence[str]) -> RenderableType:
    """Return the table of all site irreps; those that hold nothing are counted only."""
    useful = [c for c in compared if c.holds]
    tried = any(c.trials for c in compared)
    columns = ["", "carrier", "holds", "of |u|^2", "numbers", "keeps", "misses"]
    rows = [[*_row(c), *([_trials(c)] if tried else [])] for c in useful]
    title = f"Carriers for {' + '.join(primaries)} (* chosen, = tied with it, + holds all of these)"
    right = (3, 4, 6)
    table = plain_table(title, [*columns, *(["fit"] if tried else [])], rows, right=right, fold=(2,))
    idle = len(compared) - len(useful)
    lines = [
        f"  {idle} more hold nothing of the target: by Curie's principle they cannot break its symmetry.",
        "  numbers: per formula unit. keeps: the symmetry left by all fields that it may hold;",
        "  misses: by how much every function of them must miss an atom (angstrom).",
    ]
    if tried:
        lines.append("  fit: seeds that reach 1e-6 angstrom; from the primaries where it holds all of them.")
    return Group(table, Text("\n".join(lines)))


def _row(c: ComparedCarrier) -> list[str]:
    mark = "*" if c.chosen else "=" if c.tied else "+" if c.holds_primaries else ""
    floor = "0" if c.suffices else f"{c.floor.max:.3f}"
    cost = str(c.site_irrep.components_per_formula_unit)
    return [mark, c.name, ", ".join(c.holds), f"{100 * c.share_held:.1f} %", cost, _group_text(c.floor.group), floor]


def _trials(c: ComparedCarrier) -> str:
    if c.trials is None:
        return "-"
    reached = f"{c.trials.converged}/{c.trials.seeds}"
    return reached if c.trials.converged == c.trials.seeds else f"{reached}, {c.trials.residual_max:.0e}"
