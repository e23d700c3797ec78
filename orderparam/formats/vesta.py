"""A VESTA file: the parent in the child's cell with an arrow on every atom."""

from __future__ import annotations

import numpy as np

from orderparam.discovery.relate import Relation

from .childcell import child_cell


def displacement_vesta(relation: Relation, *, scale: float = 5.0, title: str = "displacements") -> str:
    """Return the undistorted parent in the child's cell with the displacements as arrows, `scale` times their length.

    Arrows are along the cell's axes in units of one angstrom per axis, as VESTA's VECTR takes them.
    """
    cell = child_cell(relation)
    crystal = cell.crystal
    lengths = np.linalg.norm(crystal.lattice, axis=1)
    cosines = (crystal.lattice @ crystal.lattice.T) / np.outer(lengths, lengths)
    angles = np.degrees(np.arccos([cosines[1, 2], cosines[0, 2], cosines[0, 1]]))
    lines = ["#VESTA_FORMAT_VERSION 3.5.4", "", "CRYSTAL", "", "TITLE", title, "", "GROUP", "1 1 P 1", "SYMOP"]
    lines += [" 0.000000  0.000000  0.000000  1  0  0   0  1  0   0  0  1   1", " -1.0 -1.0 -1.0  0 0 0  0 0 0  0 0 0"]
    lines += ["CELLP", " " + " ".join(f"{v:.6f}" for v in (*lengths, *angles)), " 0 0 0 0 0 0", "STRUC"]
    for i, (label, kind, place) in enumerate(
        zip(crystal.labels, crystal.species, cell.reference, strict=True), start=1
    ):
        x, y, z = place
        lines += [f" {i} {kind} {label} 1.0000 {x:.6f} {y:.6f} {z:.6f} 1a 1", "    0 0 0 0.00"]
    lines += ["  0 0 0 0 0 0 0", "VECTR"]
    arrows = cell.shifts(relation.distortion.displacements) * lengths * scale
    moving = np.flatnonzero(np.linalg.norm(arrows, axis=1) > 1e-6)
    for number, atom in enumerate(moving, start=1):
        u, v, w = arrows[atom]
        lines += [f" {number} {u:.5f} {v:.5f} {w:.5f} 0", f"  {atom + 1} 0 0 0 0", " 0 0 0 0 0"]
    lines += [" 0 0 0 0 0", "VECTT"]
    lines += [f" {number} 0.150 255 0 0 0" for number in range(1, len(moving) + 1)]
    return "\n".join([*lines, " 0 0 0 0 0", ""])
