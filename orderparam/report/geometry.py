"""Octahedra, tilts, bonds and charges as tables that fit 80 columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from rich.console import Group, RenderableType
from rich.text import Text

from orderparam.spacegroup import symbol_of

from .layout import bold_heading, named_values, plain_table

if TYPE_CHECKING:
    from orderparam.geometry import Geometry

SHOWN = 24
"""So many rows of a table are listed on the terminal."""


def geometry_report(geometry: Geometry) -> RenderableType:
    """Return a geometry as text and tables; where there are no octahedra, one line says so."""
    parts: list[RenderableType] = [octahedra_summary(geometry)]
    if geometry.octahedra:
        parts += [tilts_table(geometry)] if geometry.tilts else []
        parts += [irrep_rotations_table(geometry)] if geometry.irrep_rotations else []
        parts += [shapes_table(geometry), bonds_table(geometry)]
    if geometry.valence_sums:
        parts.append(valences_table(geometry))
    if geometry.polarisation is not None:
        parts.append(polarisation_text(geometry))
    return Group(*parts)


def octahedra_summary(geometry: Geometry) -> RenderableType:
    """Return what kind of network there is, and its tilt system."""
    if not geometry.octahedra:
        return Group(bold_heading("Octahedra"), named_values([("none", geometry.reason)]), Text())
    kinds = ("single octahedra", "chains", "layers", "a framework in three dimensions")
    centres = ", ".join(f"{size} {octahedron.species}" for octahedron, size in geometry.representatives)
    rows = [("network", f"corners shared in {kinds[geometry.dimension]}; in the child's cell {centres}")]
    if not geometry.dimension:
        rows = [("network", f"octahedra that share no corner; in the child's cell {centres}")]
    if (glazer := geometry.glazer) is not None:
        number = f" (Glazer {glazer.number}: {symbol_of(glazer.space_group)})" if glazer.space_group else ""
        same = "" if glazer.standard in ("", glazer.symbol) else f" = {glazer.standard}"
        rows.append(("tilt system", f"{glazer.symbol} in the parent's axes{same}{number}"))
        if glazer.note:
            rows.append(("", glazer.note))
    else:
        rows.append(("tilt system", f"no symbol: {geometry.glazer_reason}"))
    return Group(bold_heading("Octahedra"), named_values(rows), Text())


def tilts_table(geometry: Geometry) -> RenderableType:
    """Return the tilts about the parent's axes."""
    rows = [
        (
            tilt.axis,
            *(_number(value, 2) for value in (tilt.in_phase, tilt.anti_phase, tilt.other, tilt.mean, tilt.largest)),
        )
        for tilt in geometry.tilts
    ]
    columns = ("about", "in phase", "out of phase", "other", "mean", "largest")
    return plain_table("Tilts about the parent's axes (degrees)", columns, rows, right=(1, 2, 3, 4, 5))


def irrep_rotations_table(geometry: Geometry) -> RenderableType:
    """Return how far every irrep turns the octahedra, beside what is measured."""
    rows = [
        (r.label, f"{r.amplitude:.4f}", f"{r.angle:.2f}", f"{r.measured:.2f}", *(_number(a, 2) for a in r.about))
        for r in geometry.irrep_rotations
    ]
    first, *others = geometry.axis_names
    columns = ("irrep", "Ap", "angle", "measured", f"about {first}", *others)
    title = "Order parameters that turn the octahedra (Ap angstrom; rms angles, degrees)"
    return plain_table(title, columns, rows, right=range(1, 7))


def shapes_table(geometry: Geometry) -> RenderableType:
    """Return the measures of distortion, one row per orbit of octahedra."""
    rows = [
        (
            o.centre,
            f"{o.bond_lengths.mean():.4f}",
            f"{1e4 * o.shannon:.2f}",
            f"{o.baur:.4f}",
            f"{o.angle_variance:.2f}",
            f"{o.quadratic_elongation:.4f}",
            _number(o.q2, 3),
            _number(o.q3, 3),
            f"{np.linalg.norm(o.off_centre):.3f}",
        )
        for o, _ in geometry.representatives[:SHOWN]
    ]
    columns = ("", "mean", "Delta", "D", "var", "elong", "Q2", "Q3", "off")
    note = (
        "  mean bond, Q2, Q3 and distance off the centre in angstrom, Delta (Shannon) in\n"
        "  1e-4, D (Baur), angle variance in degrees^2, quadratic elongation;\n"
        f"  z of Q2 and Q3 along the parent's {geometry.van_vleck_axis}"
    )
    return Group(plain_table("Shapes of the octahedra", columns, rows, right=range(1, 9)), Text(note), Text())


def bonds_table(geometry: Geometry) -> RenderableType:
    """Return bond lengths, bridging angles and the surroundings of the other ions."""
    parts: list[RenderableType] = []
    lengths = [
        (o.centre, "  ".join(f"{length:.4f}" for length in np.sort(o.bond_lengths)))
        for o, _ in geometry.representatives[:SHOWN]
    ]
    parts.append(plain_table("Bonds of the octahedra (angstrom)", ("centre", "lengths"), lengths, fold=(1,)))
    angles = [
        (f"{b.centres[0]}-{b.ligand}-{b.centres[1]}", b.multiplicity, f"{b.angle:.2f}", f"{b.angle_parent:.2f}")
        for b in geometry.bridges[:SHOWN]
    ]
    if angles:
        columns = ("bridge", "number", "angle", "in the parent")
        parts.append(plain_table("Angles between octahedra (degrees)", columns, angles, right=(1, 2, 3)))
    ions = [
        (i.label, i.multiplicity, len(i.lengths), f"{i.lengths[0]:.4f}", f"{i.lengths.mean():.4f}",
         f"{np.linalg.norm(i.off_centre - i.off_centre_parent):.4f}")
        for i in geometry.hole_ions[:SHOWN]
    ]  # fmt: skip
    if ions:
        columns = ("ion", "number", "neighbours", "shortest", "mean", "moved off its centre")
        parts.append(plain_table("Ions between the octahedra (angstrom)", columns, ions, right=range(1, 6)))
    return Group(*parts)


def valences_table(geometry: Geometry) -> RenderableType:
    """Return the bond-valence sums beside formal charges, cations + and anions - in both."""
    rows = [
        (v.label, v.multiplicity, f"{v.valence:+.2f}", "-" if v.formal_charge is None else _charge(v.formal_charge))
        for v in geometry.valence_sums[:SHOWN]
    ]
    columns = ("site", "number", "sum", "formal charge")
    title = "Bond-valence sums (O'Keeffe & Brese 1991; cations +, anions -)"
    return plain_table(title, columns, rows, right=(1, 2, 3))


def polarisation_text(geometry: Geometry) -> RenderableType:
    """Return the polarisation of point charges."""
    found = geometry.polarisation
    if found is None:
        return Text()
    vector = "  ".join(_number(value, 2) for value in found.vector)
    relative = "; the parent is polar too: this is the change" if found.parent_is_polar else ""
    rows = [
        ("P", f"({vector}) along the parent's axes, |P| = {found.size:.2f} microcoulomb/cm^2{relative}"),
        ("quantum", "  ".join(f"{value:.1f}" for value in found.quantum) + " microcoulomb/cm^2 along the child's axes"),
        ("charges", ", ".join(f"{kind} {_charge(charge)}" for kind, charge in found.charges.items())),
    ]
    return Group(bold_heading("Polarisation of formal point charges (an estimate)"), named_values(rows), Text())


def _charge(value: float) -> str:
    """Write a formal charge, ``+2`` or ``-0.5``, and 0 without a sign."""
    rounded = round(value, 2)
    return f"{rounded:+g}" if rounded else "0"


def _number(value: float | None, digits: int) -> str:
    """Write a number without a negative zero, a dash for none."""
    return "-" if value is None else f"{round(value, digits) + 0.0:.{digits}f}"
