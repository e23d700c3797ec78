"""The domains of a child as tables of what differs between them, and their structures as files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Group, RenderableType
from rich.text import Text

from orderparam.crystals.writing import crystal_to_cif
from orderparam.discovery.relate import describe_basis
from orderparam.records import write_texts
from orderparam.subgroups import Domain
from orderparam.wording import agreeing

from .directiontext import ALIKE, Directions, directions_of
from .layout import plain_table

MANY_DOMAINS = 48
"""So many domains are listed on the terminal."""


def domains_report(domains: Sequence[Domain], primaries: Sequence[str] = ()) -> RenderableType:
    """Return one line per domain: how it is turned and shifted, where its order parameters point, how it is strained.

    Parameters
    ----------
    domains : sequence of Domain
    primaries : sequence of str
        Labels of the primary order parameters. They are shown first; others only where domains would look alike.
    """
    strains, number_of = _strain_states(domains)
    shown = {
        label: directions_of([d.order_parameters[label] for d in domains]) for label in _telling(domains, primaries)
    }
    several = len(strains) > 1
    rows = []
    for i, domain in enumerate(domains[:MANY_DOMAINS]):
        repeated = i > 0 and domains[i - 1].turn == domain.turn
        texts = [found.texts[i] for found in shown.values()]
        rows.append(
            (domain.number, "" if repeated else domain.turn, domain.operation, *texts, *[f"e{number_of[i]}"] * several)
        )
    columns = ("", "turned by", "operation", *shown, *["strain"] * several)
    table = plain_table(_title(domains), columns, rows, right=(0,), fold=range(3, 3 + len(shown)))
    rest = len(domains) - MANY_DOMAINS
    notes = [f"  and {rest} more: --json FILE has all"] * (rest > 0) + _notes(domains, shown)
    return Group(table, *map(Text, notes), *_strains(strains))


def _title(domains: Sequence[Domain]) -> str:
    """Say how many domains there are: every orientation comes with every lost translation."""
    turns = len({domain.rotation.tobytes() for domain in domains})
    shifts = len(domains) // turns
    if len(domains) == 1:
        return "1 domain: no symmetry is broken"
    orientations = f"{turns} orientations" if turns > 1 else "one orientation"
    antiphase = f"{shifts} translations (antiphase domains)" if shifts > 1 else "no antiphase domains"
    return f"{len(domains)} domains: {orientations}{' x ' if turns > 1 and shifts > 1 else ', '}{antiphase}"


def _telling(domains: Sequence[Domain], primaries: Sequence[str]) -> list[str]:
    """Return the labels to show: the primary ones, then those without which two domains would look alike."""
    values = {
        label: np.array([d.order_parameters[label].ravel() for d in domains]) for label in domains[0].order_parameters
    }
    shown = [label for label in values if label in primaries]
    told = np.array([d.strain.ravel() for d in domains])
    told = np.hstack([told, *(values[label] for label in shown)])
    for label in [label for label in values if label not in shown]:
        more = np.hstack([told, values[label]])
        if _n_distinct(more) > _n_distinct(told):
            shown, told = [*shown, label], more
    return shown


def _n_distinct(rows: np.ndarray) -> int:
    return len(np.unique(np.round(rows / ALIKE).astype(int), axis=0))


def _strain_states(domains: Sequence[Domain]) -> tuple[list[np.ndarray], list[int]]:
    """Return the different strains, and the number from 1 of that of every domain."""
    strains: list[np.ndarray] = []
    numbers = []
    for domain in domains:
        alike = [n for n, strain in enumerate(strains) if np.abs(strain - domain.strain).max() < ALIKE]
        if not alike:
            strains.append(domain.strain)
        numbers.append((alike or [len(strains) - 1])[0] + 1)
    return strains, numbers


def _notes(domains: Sequence[Domain], shown: dict[str, Directions]) -> list[str]:
    """Say what letters mean, and what is not shown."""
    notes = ["  operations and axes (of m: the normal) in the parent's conventional axes"] * (len(domains) > 1)
    sizes = [f"{label} {found.legend}" for label, found in shown.items() if found.legend]
    if sizes:
        notes.append(f"  Ap in angstrom: {'; '.join(sizes)}")
    elif shown:
        notes.append("  components: Ap in angstrom")
    if any(found.long for found in shown.values()):
        notes.append("  5:a is component 5; those not named are zero")
    others = [label for label in domains[0].order_parameters if label not in shown and len(domains) > 1]
    changing = [label for label in others if _differs([d.order_parameters[label] for d in domains])]
    same = [label for label in others if label not in changing]
    if changing:
        verb = agreeing(len(changing), "follows", "follow")
        notes.append(f"  {', '.join(changing)} {verb}: --json FILE has the components")
    if same:
        notes.append(f"  {', '.join(same)} {agreeing(len(same), 'is', 'are')} the same in all")
    return notes


def _differs(components: Sequence[np.ndarray]) -> bool:
    return any(np.abs(c - components[0]).max() > ALIKE for c in components)


def _strains(strains: Sequence[np.ndarray]) -> list[RenderableType]:
    """Return the table of the different strains; nothing where the cell keeps its shape."""
    if np.abs(strains[0]).max() < 5e-5:
        return []
    places = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))
    rows = [
        (f"e{n}" if len(strains) > 1 else "all", *(_percent(strain[place]) for place in places))
        for n, strain in enumerate(strains, start=1)
    ]
    title = "Strain (U - 1 in %, the parent's Cartesian frame)"
    return [Text(), plain_table(title, ("", "xx", "yy", "zz", "yz", "xz", "xy"), rows, right=range(1, 7))]


def _percent(value: float) -> str:
    return f"{round(100 * float(value), 3) + 0.0:.3f}"


def write_domains(domains: tuple[Domain, ...], folder: Path) -> list[Path]:
    """Write every domain as CIF, all atoms, all on the same vectors of the parent: the cell that all of them share.

    A CIF keeps no orientation: in cells that turn with the structure all orientation states would be one file.
    """
    texts = {}
    for domain in domains:
        head = f"# domain {domain.number}: {domain.operation}, {domain.kind}\n"
        head += f"# cell in the parent's conventional axes: {_common_cell(domain)}\n"
        texts[f"domain_{domain.number:03d}.cif"] = head + crystal_to_cif(domain.crystal(common=True))
    return write_texts(folder, texts)


def _common_cell(domain: Domain) -> str:
    rows = domain.common.matrix @ np.linalg.inv(domain.common.parent.conventional)
    return describe_basis(rows, np.zeros(3)).partition(";")[0]
