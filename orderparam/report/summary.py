"""Reports as rich renderables that fit 80 columns; nothing is printed here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Group, RenderableType
from rich.text import Text

from orderparam.crystals.crystal import Crystal
from orderparam.parent import Parent
from orderparam.pointparent import point_group_of
from orderparam.records import correspondence_record
from orderparam.spacegroup import LayerGroup, SymmetryReport
from orderparam.supercell import Subgroup
from orderparam.symmetry.origins import names_at_other_origins
from orderparam.symmetry.sitemodes import all_site_modes
from orderparam.tables import Row, splitting_rows
from orderparam.wording import counted

from .layout import bold_heading, named_values, plain_table

if TYPE_CHECKING:
    from orderparam.diffraction import Reflection
    from orderparam.discovery.analyse import Analysis
    from orderparam.discovery.denoise import NoiseReport
    from orderparam.symmetry.orderparameter import OrderParameter

MANY_ATOMS = 24
"""A table with one line per atom is readable up to here."""

MANY_MODES = 40
"""So many modes are listed on the terminal."""

SHOWN_SETS = 5


def modes_report(analysis: Analysis) -> RenderableType:
    """Return everything about an exact decomposition."""
    if analysis.relation.parent.finite:
        from .points import point_modes_report

        return point_modes_report(analysis)
    parts: list[RenderableType] = [*_pair(analysis)]
    if analysis.noise is not None:
        parts.append(noise_text(analysis.noise))
    parts += [atoms_table(analysis), splitting_table(analysis)]
    parts += [order_parameters_table(analysis), strain_table(analysis), site_modes_table(analysis)]
    if analysis.primary_sets:
        parts.append(primary_sets_table(analysis))
    return Group(*parts)


def _group_text(subgroup: Subgroup) -> str:
    return group_name(subgroup.supercell.parent, subgroup.space_group)


def group_name(parent: Parent, group: tuple[int, str]) -> str:
    """Name a subgroup of a parent: ``Pnma (62)``; the point group, ``D2h (mmm)``, where the parent is a finite set."""
    number, symbol = group
    if parent.finite:
        return "{} ({})".format(*point_group_of(number))
    return f"{symbol} ({number})"


# --- the pair ------------------------------------------------------------------------------------------------------


def _pair(analysis: Analysis) -> list[RenderableType]:
    """Return both space groups, and how the child sits in the parent."""
    relation = analysis.relation
    parent, distortion = relation.parent, relation.distortion
    record = correspondence_record(relation)
    cells, _, origin = record["transformation"].partition(";")
    principal = np.linalg.eigvalsh(distortion.strain)
    n_cells = distortion.supercell.n_cells
    multiple = "the parent's primitive cell" if n_cells == 1 else f"{n_cells} primitive cells of the parent"
    rows = [
        ("cell", f"{cells}  ({multiple}, {counted(distortion.supercell.n_atoms, 'atom')})"),
        ("origin", origin + (f"  (the parent's origin is on {parent.origin_atom})" if parent.origin_atom else "")),
        ("rotation", _rotation_text(relation.correspondence.rotation)),
        ("principal strains", "  ".join(f"{100 * value + 0.0:+.3f} %" for value in principal)),
        ("displacements", f"rms {record['mapping_rms']:.4f}, largest {distortion.lengths.max():.4f} angstrom"),
        (
            "symmetrising moved",
            f"parent {parent.moved_max:.1e}, child {relation.removed_max:.1e} angstrom at most",
        ),
        ("index", f"{distortion.group.index} (number of domains)"),
    ]
    return [
        bold_heading("Space groups (spglib)"),
        named_values(
            [
                ("parent", f"{parent.crystal.formula}  {parent.group}{_beside(relation.layer_groups[0])}"),
                (
                    "child",
                    f"{relation.child.formula}  {relation.report.symbol} ({relation.report.number})"
                    f"{_beside(relation.layer_groups[1])}",
                ),
            ]
        ),
        Text(),
        bold_heading("How the child sits in the parent"),
        named_values(rows),
        Text(),
    ]


def _beside(group: LayerGroup | None) -> str:
    return "" if group is None else f", layer group {group}"


def _rotation_text(rotation: np.ndarray) -> str:
    """Write a rotation as angle and axis."""
    cosine = np.clip((np.trace(rotation) - 1) / 2, -1.0, 1.0)
    angle = float(np.degrees(np.arccos(cosine)))
    if angle < 1e-3:
        return "none"
    values, vectors = np.linalg.eig(rotation)
    axis = np.real(vectors[:, np.argmin(abs(values - 1))])
    axis = axis / axis[np.argmax(abs(axis) > 1e-6)] * abs(axis[np.argmax(abs(axis) > 1e-6)])
    shown = " ".join(f"{value + 0.0:.3f}" for value in np.where(abs(axis) < 5e-4, 0.0, axis))
    return f"{angle:.2f} degrees about ({shown})"


def atoms_table(analysis: Analysis) -> RenderableType:
    """Return which atom goes where; one line per child site where there are many atoms."""
    atoms = correspondence_record(analysis.relation)["atoms"]
    if len(atoms) <= MANY_ATOMS:
        rows = [
            (a["parent_site"], a["child_site"], *(f"{u + 0.0:.4f}" for u in np.round(a["displacement"], 4)),
             f"{a['length']:.4f}")
            for a in atoms
        ]  # fmt: skip
        columns = ("parent", "child", "u_x", "u_y", "u_z", "|u|")
        return plain_table("Which atom goes where (angstrom, parent's axes)", columns, rows, right=(2, 3, 4, 5))
    groups: dict[tuple[str, str], list[float]] = {}
    for a in atoms:
        groups.setdefault((a["parent_site"], a["child_site"]), []).append(a["length"])
    rows = [
        (parent, child, len(lengths), f"{min(lengths):.4f}", f"{max(lengths):.4f}")
        for (parent, child), lengths in groups.items()
    ]
    columns = ("parent", "child", "atoms", "smallest |u|", "largest |u|")
    return plain_table("Which atoms go where (angstrom)", columns, rows, right=(2, 3, 4))


# --- order parameters ----------------------------------------------------------------------------------------------


def order_parameters_table(analysis: Analysis) -> RenderableType:
    """Return the order parameters of the displacements, primary ones marked."""
    if not analysis.decomposition.displacive:
        return Text("No displacements: the child's group allows none\n")
    parent, errors = analysis.relation.parent, analysis.errors
    primary = {m.label for m in analysis.primary_members if not m.is_strain}
    rows = [
        (
            _mark(o, o.label in primary),
            o.irrep.irrep.label,  # its wave vector stands beside it
            parent.k_text(o.irrep.k[0]),
            o.direction or "-",
            _with_error(o.amplitude_supercell, errors.amplitudes[o.label] if errors else None, 4),
            f"{o.amplitude:.4f}",
            _group_text(o.subgroup) if not o.is_zero else "-",
        )
        for o in analysis.decomposition.displacive
    ]
    title = "Order parameters of the displacements (angstrom; As: child's cell, Ap: parent's)"
    columns = ("", "irrep", "k", "direction", "As", "Ap", "isotropy subgroup")
    table = plain_table(title, columns, rows, right=(4, 5), fold=(3,))
    notes: list[RenderableType] = [table, Text("  * primary   = breaks no symmetry   0 allowed by the child, but zero")]
    irreps = [o.irrep for o in analysis.decomposition.displacive if not o.is_zero]
    for names in names_at_other_origins(parent, irreps):
        pairs = ", ".join(f"{old} = {new}" for old, new in names.labels.items())
        notes.append(Text(f"  with {names.atom} at the origin: {pairs}"))
    return Group(*notes, Text())


def _mark(o: OrderParameter, primary: bool) -> str:
    if o.is_zero:
        return "0"
    if o.irrep.is_identity:
        return "="
    return "*" if primary else ""


def _with_error(value: float, error: float | None, digits: int) -> str:
    """Write a value with its standard uncertainty in brackets, as crystallographers do: 1.193(4)."""
    if not error or error < 5e-7:
        return f"{value:.{digits}f}"
    exponent = int(np.floor(np.log10(error)))
    places = min(max(-exponent + (error < 2 * 10.0**exponent), 0), 6)  # two digits where the first is a one
    return f"{value:.{places}f}({round(error * 10**places)})"


def strain_table(analysis: Analysis) -> RenderableType:
    """Return the irreps of the strain."""
    errors = analysis.errors
    primary = {m.label for m in analysis.primary_members if m.is_strain}
    rows = [
        (
            _mark(o, o.label in primary),
            o.label,
            o.direction or "-",
            _with_error(o.amplitude, errors.strain.get(o.label) if errors else None, 5),
            _group_text(o.subgroup) if not o.is_zero else "-",
        )
        for o in analysis.decomposition.strain
    ]
    columns = ("", "irrep", "direction", "amplitude", "isotropy subgroup")
    return plain_table("Order parameters of the strain", columns, rows, right=(3,), fold=(2,))


def site_modes_table(analysis: Analysis) -> RenderableType:
    """Return the modes one by one, as far as they fit on a page."""
    errors = analysis.errors
    modes = all_site_modes(analysis.decomposition)
    if not modes:
        return Text()
    rows = [
        (
            mode.name,
            _with_error(mode.amplitude_supercell, errors.modes[mode.name] if errors else None, 5),
            f"{mode.amplitude:.5f}",
            f"{mode.max_displacement:.5f}",
        )
        for mode in modes[:MANY_MODES]
    ]
    title = "Modes: irrep[site:Wyckoff letter]irrep of the site group(parameter) (angstrom)"
    table = plain_table(title, ("mode", "As", "Ap", "largest |u|"), rows, right=(1, 2, 3))
    rest = len(modes) - MANY_MODES
    return Group(table, Text(f"  and {rest} more: --csv FILE or --json FILE has all")) if rest > 0 else table


def splitting_table(analysis: Analysis) -> RenderableType:
    """Return how the orbits of the parent split in the child."""
    rows = [
        (
            row["parent_site"],
            f"{row['parent_wyckoff']} {row['parent_site_symmetry']}",
            row["child_site"],
            f"{row['child_wyckoff']} {row['child_site_symmetry']}",
            row["atoms"],
        )
        for row in splitting_rows(analysis)
    ]
    columns = ("parent", "Wyckoff", "child", "Wyckoff", "atoms")
    return plain_table("Splitting of the orbits (per primitive cell of the child)", columns, rows, right=(4,))


def noise_text(report: NoiseReport) -> RenderableType:
    """Return what was taken for noise, or that the data cannot tell."""
    number, symbol = report.space_group
    lower = report.next_lower
    how = "estimated" if report.estimated else "given"
    if not report.determined:
        estimate = f"{report.sigma:.4f} angstrom per coordinate from what is left, but it may be several times that"
        rows = [
            ("sigma", f"the data cannot tell: {report.undetermined}"),
            ("estimate", estimate if report.n_left else "none"),
            ("taken instead", str(report.taken)),
            ("detection limit", "unknown without sigma; give --noise SIGMA where it is known"),
        ]
        return Group(bold_heading("Noise"), named_values(rows), Text())
    rows = [
        (
            "sigma",
            f"{report.sigma:.4f} angstrom per coordinate ({how}; "
            f"{counted(report.n_left, 'coordinate')} of noise alone)",
        ),
        ("space group", f"{symbol} ({number}), supported by the data"),
        ("left over", f"rms {report.residual_rms:.4f} angstrom per coordinate"),
        ("error left", f"{report.expected_error:.4f} angstrom per coordinate to expect, in {report.n_free} free ones"),
        (
            "next lower",
            f"{lower.space_group[1]} ({lower.space_group[0]}), cost higher by {lower.cost_difference:.1f}"
            if lower
            else "none",
        ),
        ("detection limit", f"As = {report.detection_limit:.3f} angstrom: what is smaller may have been missed"),
    ]
    return Group(bold_heading("Noise"), named_values(rows), Text())


def primary_sets_table(analysis: Analysis) -> RenderableType:
    """Return the sets of order parameters that generate the child's group."""
    rows = [
        (
            "*" if number == 0 else "tied" if found.tied else "",
            " + ".join(found.labels),
            f"{100 * found.share:.1f} %",
            "-" if np.isnan(found.mean_degree) else f"{found.mean_degree:.1f}",
        )
        for number, found in enumerate(analysis.primary_sets[:SHOWN_SETS])
    ]
    table = plain_table(
        f"Sets that leave exactly {_group_text(analysis.relation.distortion.group)} (* chosen)",
        ("", "irreps", "share of |u|^2", "order at which the rest follows"),
        rows,
        right=(2, 3),
        fold=(1, 3),
    )
    rest = len(analysis.primary_sets) - SHOWN_SETS
    return Group(table, Text(f"  and {rest} more with smaller shares\n")) if rest > 0 else table


def reflections_table(reflections: Sequence[Reflection], shown: int = 4) -> RenderableType:
    """Return, for every order parameter with superlattice lines, the lines that show it best."""
    candidates = [r for r in reflections if r.is_superlattice]
    rows = []
    for label in dict.fromkeys(label for r in candidates for label in r.at_wave_vector_of):
        own = [r for r in candidates if label in r.at_wave_vector_of and r.shares[label] > 0]
        for r in sorted(own, key=lambda r: -r.intensity * min(r.shares[label], 1.0))[:shown]:
            indices = " ".join(map(str, r.parent_indices))
            rows.append(
                (
                    label,
                    f"{r.two_theta:.2f}",
                    f"{r.spacing:.4f}",
                    f"{r.intensity:.2f}",
                    indices,
                    f"{r.shares[label]:.0%}",
                )
            )
    columns = ("irrep", "2 theta", "d", "intensity", "hkl of the parent", "lost without it")
    title = "Superlattice lines that show an irrep (Cu K alpha; strongest line: 100)"
    return plain_table(title, columns, rows, right=(1, 2, 3, 5))


def series_report(rows: Sequence[Row]) -> RenderableType:
    """Return one line per structure: the largest amplitudes of the series."""
    good = [row for row in rows if "error" not in row]
    sizes: dict[str, float] = {}
    for row in good:
        for name, value in row.items():
            if name.startswith("Ap "):
                sizes[name] = max(sizes.get(name, 0.0), value)
    shown = sorted(sizes, key=lambda name: -sizes[name])[:5]
    lines = [
        (Path(row["child"]).name, f"{row['symbol']} ({row['space_group']})", *(_cell(row.get(name)) for name in shown))
        for row in good
    ]
    title = (
        f"{len(good)} of {counted(len(rows), 'structure')}; the largest amplitudes (Ap, angstrom); --csv FILE has all"
    )
    columns = ("structure", "group", *(name.removeprefix("Ap ") for name in shown))
    return plain_table(title, columns, lines, right=range(2, 2 + len(shown)), fold=(0,))


def _cell(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


# --- one file ------------------------------------------------------------------------------------------------------


def symmetry_report(
    crystal: Crystal,
    report: SymmetryReport,
    ladder: Sequence[SymmetryReport],
    layer_group: LayerGroup | None = None,
) -> RenderableType:
    """Return a spglib report: group, sites, and how the group changes with the tolerance."""
    facts = [
        ("space group", f"{report.symbol} ({report.number}), point group {report.point_group}"),
        *([("layer group", str(layer_group))] if layer_group is not None else []),
        ("Hall", f"{report.hall_symbol} (number {report.hall_number})"),
        (
            "content",
            f"{crystal.formula}, {counted(crystal.n_sites, 'atom')} in the cell, {crystal.volume:.2f} angstrom^3",
        ),
        ("symprec", f"{report.symprec:g} angstrom"),
    ]
    rows = []
    for i in np.unique(report.equivalent_atoms):
        multiplicity = int((report.equivalent_atoms == i).sum())
        place = (f"{value + 0.0:.5f}" for value in np.round(crystal.positions[i], 5))
        rows.append(
            (crystal.labels[i], crystal.species[i], f"{multiplicity}{report.wyckoffs[i]}",
             report.site_symmetries[i], *place)
        )  # fmt: skip
    sites = plain_table("Sites", ("site", "species", "Wyckoff", "symmetry", "x", "y", "z"), rows, right=(4, 5, 6))
    changes = [r for before, r in zip([None, *ladder], ladder, strict=False) if before is None or _differ(before, r)]
    steps = [(f"{r.symprec:g}", f"{r.symbol} ({r.number})", len(r.rotations)) for r in changes]
    title = "From which tolerance on (angstrom; 1e-05 to 0.1 tried)"
    table = plain_table(title, ("symprec", "space group", "operations"), steps, right=(0, 2))
    return Group(bold_heading(crystal.name), named_values(facts), Text(), sites, table)


def _differ(one: SymmetryReport, other: SymmetryReport) -> bool:
    return (one.number, len(one.rotations)) != (other.number, len(other.rotations))
