"""Reports of finite sets of points: what `summary` says of crystals, with point groups and without cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from rich.console import Group, RenderableType
from rich.text import Text

from orderparam.crystals.pointset import formula
from orderparam.discovery.pointrelation import child_point_group
from orderparam.discovery.sharedinputs import shared_inputs

from .layout import bold_heading, named_values, plain_table
from .summary import _group_text, _mark, _rotation_text, group_name, primary_sets_table

if TYPE_CHECKING:
    from orderparam.discovery.analyse import Analysis


def point_modes_report(analysis: Analysis) -> RenderableType:
    """Return everything about an exact decomposition."""
    parts = [*_pair(analysis), _atoms_table(analysis), _order_parameters_table(analysis)]
    if analysis.primary_sets:
        parts.append(primary_sets_table(analysis))
    return Group(*parts)


def _pair(analysis: Analysis) -> list[RenderableType]:
    """Return both point groups, and how the child lies on the parent."""
    relation = analysis.relation
    parent, distortion, found = relation.parent, relation.distortion, relation.correspondence
    whole = (parent.group.number, parent.group.symbol)
    own, reported = child_point_group(relation)
    by = "pymatgen" if own == reported else f"by its operations; pymatgen takes it for {reported}"
    groups = [
        ("parent", f"{formula(parent.crystal.species)}  {group_name(parent, whole)}"),
        ("child", f"{formula(relation.child.species)}  {own} ({by})"),
        ("in common", f"{_group_text(distortion.group)}, index {distortion.group.index} (number of domains)"),
    ]
    rows = [
        ("rotation", _rotation_text(found.rotation) + (", of the mirror image" if found.mirrored else "")),
        ("displacements", f"rms {found.rms:.4f}, largest {distortion.lengths.max():.4f} angstrom"),
        (
            "symmetrising moved",
            f"parent {parent.moved_max:.1e}, child {relation.removed_max:.1e} angstrom at most",
        ),
    ]
    title = bold_heading("How the child lies on the parent")
    return [bold_heading("Point groups"), named_values(groups), Text(), title, named_values(rows), Text()]


def _atoms_table(analysis: Analysis) -> RenderableType:
    relation = analysis.relation
    rows = [
        (site, label, *(f"{x + 0.0:.4f}" for x in np.round(u, 4)), f"{np.linalg.norm(u):.4f}")
        for site, label, u in zip(
            relation.distortion.supercell.labels,
            relation.child_labels,
            relation.distortion.displacements.tolist(),
            strict=True,
        )
    ]
    columns = ("parent", "child", "u_x", "u_y", "u_z", "|u|")
    return plain_table("Which atom goes where (angstrom, parent's axes)", columns, rows, right=(2, 3, 4, 5))


def _order_parameters_table(analysis: Analysis) -> RenderableType:
    """Return the order parameters, primary ones marked."""
    primary = {m.label for m in analysis.primary_members}
    rows = [
        (
            _mark(o, o.label in primary),
            o.label,
            o.direction or "-",
            f"{o.amplitude:.4f}",
            o.n_modes,
            _group_text(o.subgroup) if not o.is_zero else "-",
        )
        for o in analysis.decomposition.displacive
        if o.n_modes or not o.is_zero
    ]
    columns = ("", "irrep", "direction", "amplitude", "modes", "isotropy subgroup")
    table = plain_table("Order parameters of the displacements (angstrom)", columns, rows, right=(3, 4), fold=(2,))
    return Group(table, Text("  * primary   = breaks no symmetry   0 allowed by the child, but zero"), Text())


def shared_inputs_table(analysis: Analysis) -> RenderableType:
    """Return what an input that all points share could do, and what it must leave."""
    rows = [
        (f"all:{s.irrep}", ", ".join(s.holds) or "-", s.n_free, _group_text(s.group), f"{s.floor_max:.4f}")
        for s in shared_inputs(analysis)
    ]
    columns = ("input", "holds", "numbers", "keeps", "exact floor")
    title = "Inputs that all points share: what each must miss (largest error, angstrom)"
    return plain_table(title, columns, rows, right=(2, 4))
