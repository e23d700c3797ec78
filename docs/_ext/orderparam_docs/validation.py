"""The validation page: this program beside published numbers and beside CrystOD, computed at every build."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from orderparam import Analysis, analyse, read_crystal, report_symmetry, symmetrise
from orderparam.distort import distort
from orderparam.parent import abstract_parent
from orderparam.symmetry.parentirreps import named_irrep
from orderparam.symmetry.strata import find_directions
from orderparam.tiltsystems import TILT_SYSTEMS, cubic_perovskite, tilt_components

from . import cache

TABLES = cache.ROOT / "tests" / "tables"
ANGLE = 8.0
CLOSE = 2e-4
"""Amplitudes that differ by no more (angstrom) are equal: CrystOD prints four digits."""


def page() -> str:
    """Return the page; computed anew when the sources change."""
    key = cache.key_of("validation", *(path.read_text() for path in [*sorted(TABLES.glob("*.json")), crystod_file()]))
    known = cache.load(key)
    if known is None:
        known = {"page": _compute()}
        cache.save(key, known)
    return known["page"]


def crystod_file() -> Path:
    """Return the stored answers of CrystOD."""
    return cache.ROOT / "docs" / "data" / "crystod.json"


def _compute() -> str:
    analyses = _Analyses()
    pairs = json.loads((TABLES / "pairs.json").read_text())
    parts = [_INTRODUCTION, _published(analyses), _tilts(), _subgroups(), _primaries(pairs, analyses)]
    return "\n\n".join([*parts, _crystod(pairs, analyses), _TAIL])


class _Analyses:
    """Pairs, analysed once."""

    def __init__(self) -> None:
        self.known: dict[tuple[str, str], Analysis] = {}

    def of(self, entry: dict[str, Any]) -> Analysis:
        key = (entry["parent"], entry["child"])
        if key not in self.known:
            parent, child = (read_crystal(cache.ROOT / "structures" / name) for name in key)
            self.known[key] = analyse(symmetrise(parent), child)
        return self.known[key]


def _published(analyses: _Analyses) -> str:
    from tests.symmetry.test_published import amplitudes

    rows = []
    for table in json.loads((TABLES / "amplitudes.json").read_text()):
        found = amplitudes(analyses.of(table), table["quantity"])
        for name, value in table["values"].items():
            digits = 4 if table["quantity"] == "irrep" else 5
            rows.append(f"| {table['name']} | `{name}` | {value:.{digits}f} | {found[name]:.{digits}f} |")
    sources = dict.fromkeys(t["source"] for t in json.loads((TABLES / "amplitudes.json").read_text()))
    head = "| | | published | here |\n|---|---|---|---|\n"
    return (
        f"## Amplitudes that other programs have published\n\nSources: {'; '.join(sources)}.\n\n"
        + head
        + "\n".join(rows)
    )


def _tilts() -> str:
    parent = cubic_perovskite()
    rows = []
    for symbol, number in TILT_SYSTEMS.items():
        components = tilt_components(parent, symbol, ANGLE)
        report = report_symmetry(distort(parent, {k: v for k, v in components.items() if np.any(v)}).crystal(), 1e-4)
        rows.append(f"| {symbol} | {number} | {report.number} ({report.symbol}) |")
    text = (
        "## Tilt systems of perovskites\n\nThe fourteen tilted systems of C. J. Howard and H. T. Stokes, "
        "[Acta Cryst. B54, 782 (1998)](https://doi.org/10.1107/S0108768198004200), table 1. Here: the structure with "
        "these components of `M3+` and `R4+`, its space group by spglib.\n\n"
        "| tilt system | published | here |\n|---|---|---|\n"
    )
    return text + "\n".join(rows)


def _subgroups() -> str:
    from tests.symmetry.test_strata import STOKES_HATCH

    parent, rows = abstract_parent(221), []
    for label, published in STOKES_HATCH.items():
        found = {d.symbol: d.subgroup.space_group for d in find_directions(parent, [named_irrep(parent, label)])}
        for direction in dict.fromkeys([*published, *found]):
            number, symbol = found.get(direction, ("-", "-"))
            rows.append(f"| `{label}` | `{direction}` | {published.get(direction, '-')} | {number} ({symbol}) |")
    text = (
        "## Isotropy subgroups\n\nH. T. Stokes and D. M. Hatch, *Isotropy Subgroups of the 230 Crystallographic Space "
        "Groups* (World Scientific, 1988), for Pm-3m.\n\n| irrep | direction | published | here |\n|---|---|---|---|\n"
    )
    return text + "\n".join(rows)


def _primaries(pairs: list[dict[str, Any]], analyses: _Analyses) -> str:
    rows, agree, judged = [], 0, 0
    for pair in pairs:
        if pair["primary"] is None:
            continue
        chosen = analyses.of(pair).primaries
        ours = sorted(m.label for m in chosen.members) if chosen else []
        same = ours == sorted(pair["primary"])
        judged, agree = judged + 1, agree + same
        rows.append(
            f"| {pair['name']} | {pair['parent_space_group']} | {', '.join(sorted(pair['primary']))} | "
            f"{', '.join(ours)}{'' if same else ' (differs)'} | {pair['primary_source']} |"
        )
    text = (
        "## Primary order parameters\n\nWhat the literature calls primary, and what the "
        f"[rule](theory/primary.md) chooses: {agree} of {judged} agree. Pairs for which no one choice is certain are "
        "left out. Where the source speaks of another origin, its labels were brought to that of the file.\n\n"
        "| pair | parent | literature | here | source |\n|---|---|---|---|---|\n"
    )
    return text + "\n".join(rows)


def _crystod(pairs: list[dict[str, Any]], analyses: _Analyses) -> str:
    from tests.symmetry.test_against_crystod import mine_as_crystod

    stored = json.loads(crystod_file().read_text())
    rows, largest = [], 0.0
    for pair in pairs:
        answer = stored["pairs"][pair["name"]]
        if isinstance(answer, str):
            rows.append(f"| {pair['name']} | | | {answer} |")
            continue
        theirs = {label: (number, size) for label, number, size in answer}
        mine = mine_as_crystod(analyses.of(pair))
        seen = [n for n in {*mine, *theirs} if max(mine.get(n, (0, 0.0))[1], theirs.get(n, (0, 0.0))[1]) > CLOSE]
        gaps = [abs(mine.get(n, (0, 0.0))[1] - theirs.get(n, (0, 0.0))[1]) for n in seen]
        groups = [n for n in seen if mine.get(n, (0,))[0] != theirs.get(n, (0,))[0]]
        largest = max([largest, *gaps])
        remark = f"isotropy subgroups differ: {', '.join(groups)}" if groups else ""
        rows.append(f"| {pair['name']} | {len(seen)} | {max(gaps, default=0.0):.4f} | {remark} |")
    text = (
        f"## {stored['program']}\n\nAn independent open program, on every shipped pair: labels, isotropy subgroups and "
        f"amplitudes (As, angstrom). The largest difference is {largest:.4f} angstrom; CrystOD prints four digits.\n\n"
        "| pair | irreps compared | largest difference | remark |\n|---|---|---|---|\n"
    )
    return text + "\n".join(rows)


_INTRODUCTION = """# Validation

Everything on this page is computed when it is built, and put beside what others have published. `tests/` holds far
more: theorems (homomorphism, orthogonality, equivariance, decompose and rebuild), exhaustive loops over the 230 groups,
and second opinions of CrystOD, spgrep, e3nn, pymatgen and ASE."""

_TAIL = """The answers of CrystOD are stored in `docs/data/crystod.json` (`scripts/ask_crystod.py` asks again), ours are
fresh; `pytest -m slow tests/symmetry/test_against_crystod.py` runs both, on some fifty built pairs of all crystal
classes too."""
