"""Proposed parents as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from orderparam.pseudosymmetry import MAX_DISPLACEMENT, MAX_STRAIN, NOISE, WEAK_DISPLACEMENT, WEAK_SCORE
from orderparam.wording import counted

from .layout import bold_heading, named_values, plain_table

if TYPE_CHECKING:
    from orderparam.crystals.crystal import Crystal
    from orderparam.pseudosymmetry import Proposal
    from orderparam.spacegroup import SymmetryReport


def parent_report(
    child: Crystal, report: SymmetryReport, proposals: Sequence[Proposal], files: Sequence[str] = ()
) -> RenderableType:
    """Return the child's group and its proposed parents, the best first."""
    facts = [
        ("child", f"{child.formula}  {report.symbol} ({report.number}), {counted(child.n_sites, 'atom')} in the cell")
    ]
    parts: list[RenderableType] = [bold_heading("Space group (spglib)"), named_values(facts), Text()]
    if not proposals:
        parts.append(Text(none_found(report)))
        return Group(*parts)
    rows = [
        (
            number,
            f"{p.group.symbol} ({p.group.number})",
            p.parent.crystal.n_sites,
            p.index,
            f"{p.rms:.4f}",
            f"{p.max_displacement:.4f}",
            f"{100 * p.rms_strain:.2f}",
            f"{p.score:.3f}",
            "weak" if p.is_weak else "noise" if p.is_noise else "",
        )
        for number, p in enumerate(proposals, start=1)
    ]
    columns = ("", "group", "atoms", "index", "rms", "max", "strain", "score", "")
    parts.append(plain_table("Proposed parents (angstrom), the best first", columns, rows, right=(0, 2, 3, 4, 5, 6, 7)))
    parts += [Text(line) for line in _legend(proposals)]
    if files:
        parts += [
            Text(),
            bold_heading("Files"),
            named_values([(str(n), file) for n, file in enumerate(files, start=1)]),
        ]
    return Group(*parts)


def none_found(report: SymmetryReport) -> str:
    """Say that a search has come to nothing."""
    return (
        f"No parent found: nothing above {report.symbol} ({report.number}) came up within displacements of\n"
        f"{MAX_DISPLACEMENT:g} angstrom and strains of {MAX_STRAIN:.0%}."
    )


def _legend(proposals: Sequence[Proposal]) -> list[str]:
    """Return what the columns mean, as far as this table needs it."""
    lines = [
        "  atoms: in the primitive cell   index: number of domains   rms, max: displacements",
        "  strain: rms, percent   score: angstrom per unit of ln(index)",
    ]
    if any(p.is_weak for p in proposals):
        bounds = f"score from {WEAK_SCORE:g} or max from {WEAK_DISPLACEMENT:g} on"
        lines.append(f"  weak: much displacement for little symmetry ({bounds})")
    if any(p.is_noise and not p.is_weak for p in proposals):
        lines.append(f"  noise: within {NOISE:g} angstrom, which noise on the coordinates explains as well")
    return lines
