"""Proposed parents as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Group, RenderableType
from rich.text import Text

from orderparam.pseudosymmetry import NEAR, NOISE, WEAK_DISPLACEMENT, WEAK_SCORE, WEAK_SLOPE
from orderparam.wording import counted

from .layout import bold_heading, named_values, plain_table

if TYPE_CHECKING:
    from orderparam.crystals.crystal import Crystal
    from orderparam.pseudosymmetry import ParentSearch, Proposal
    from orderparam.spacegroup import SymmetryReport


def parent_report(
    child: Crystal, report: SymmetryReport, search: ParentSearch, files: Sequence[str] = ()
) -> RenderableType:
    """Return the child's group and its proposed parents, the best first; where there are none, what was tried."""
    proposals = search.proposals
    atoms = counted(child.n_sites, "atom")
    facts = [("child", f"{child.formula}  {report.symbol} ({report.number}), {atoms} in the cell")]
    parts: list[RenderableType] = [bold_heading("Space group (spglib)"), named_values(facts), Text()]
    if not proposals:
        parts.append(Text(none_found(report, search)))
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


def none_found(report: SymmetryReport, search: ParentSearch) -> str:
    """Say that a search has come to nothing, within which limits, and what else to try."""
    limits, beyond = search.limits, search.beyond
    lines = [
        f"No parent found: nothing above {report.symbol} ({report.number}) came up within",
        f"  displacements of {limits.max_displacement:g} angstrom (--max-displacement),",
        f"  principal strains of {limits.max_strain:g} (--max-strain),",
        f"  for which operations that miss an atom by up to {search.reach:.2f} angstrom were tried.",
    ]
    if not search.complete:
        lines.append("The search was cut short: there were more candidates than it looks at.")
    if beyond is not None:
        far, strain = beyond.max_displacement, float(np.abs(beyond.strains).max())
        lines.append(f"Met beyond: index {beyond.index}, displacements of {far:.3f} angstrom, strains of {strain:.3f}.")
        wanted = [f"--max-displacement {np.ceil(far * 10) / 10:g}"] if far > limits.max_displacement else []
        wanted += [f"--max-strain {np.ceil(strain * 100) / 100:g}"] if strain > limits.max_strain else []
        lines.append(f"To see it: {' '.join(wanted)}.")
    else:
        lines.append("To look further: a larger --max-displacement or --max-strain.")
    return "\n".join(lines)


def _legend(proposals: Sequence[Proposal]) -> list[str]:
    """Return what the columns mean, as far as this table needs it."""
    lines = [
        "  atoms: in the primitive cell   index: number of domains",
        "  rms, max: displacements   strain: rms, percent   score: angstrom per ln(index)",
    ]
    if any(p.is_weak for p in proposals):
        lines += [
            f"  weak: much displacement for little symmetry (score from {WEAK_SCORE:g}, a part of the",
            f"  way from {WEAK_SLOPE:g} or max from {WEAK_DISPLACEMENT:g} on), "
            f"or operations that miss by over {NEAR:g}",
        ]
    if any(p.is_noise and not p.is_weak for p in proposals):
        lines.append(f"  noise: within {NOISE:g} angstrom, which noise on the coordinates explains as well")
    return lines
