"""From two files to one distortion: which atom of the child is which of the parent, and the group that both share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np

from orderparam.crystals.crystal import Crystal, shortest_contact
from orderparam.crystals.layers import VACUUM, is_layer, layer_cell, normal_period, thickness
from orderparam.distortion import Distortion, project
from orderparam.errors import MatchingError, SymmetryError
from orderparam.matching import Correspondence, compare_compositions, match, same_mixtures
from orderparam.parent import Parent
from orderparam.primitivecell import PrimitiveCell, primitive_cell
from orderparam.spacegroup import LayerGroup, SymmetryReport, report_layer_group, report_symmetry
from orderparam.supercell import Subgroup, Supercell

DOUBTFUL = 0.4
"""A displacement beyond this part of the nearest-neighbour distance makes a mapping doubtful."""

AMBIGUOUS = 0.05
"""Two mappings whose costs differ by less than this part are equally good."""


@dataclass(frozen=True, eq=False)
class Relation:
    """A child understood as a distortion of a parent.

    Attributes
    ----------
    parent : Parent
    child : Crystal
        As read; a layer in the cell of `layer_cell`, with the parent's period.
    report : SymmetryReport
        The child's symmetry by spglib.
    cell : PrimitiveCell
        The child's primitive cell; its atoms are the distortion's, in order.
    correspondence : Correspondence
    distortion : Distortion
        Projected onto the child's own space group.
    child_labels : tuple of str
        The file's site label of every atom of the distortion.
    removed_max, removed_rms : float
        What that projection took away, angstrom.
    mapping_notes, tolerance_notes : tuple of str
        What the user should know about the mapping of atoms, and about the child's symmetry at larger tolerances.
    """

    parent: Parent
    child: Crystal
    report: SymmetryReport
    cell: PrimitiveCell
    correspondence: Correspondence
    distortion: Distortion
    child_labels: tuple[str, ...]
    removed_max: float
    removed_rms: float
    mapping_notes: tuple[str, ...] = ()
    tolerance_notes: tuple[str, ...] = ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """Everything about the relation that its user should know."""
        return (*self.child.notes, *self.mapping_notes, *self._polar_note(), *self.tolerance_notes)

    @cached_property
    def layer_groups(self) -> tuple[LayerGroup | None, LayerGroup | None]:
        """The layer groups of parent and child; None for crystals."""
        return report_layer_group(self.parent.crystal, 1e-4), report_layer_group(self.child, self.report.symprec)

    def _polar_note(self) -> tuple[str, ...]:
        group = self.distortion.group
        rotations = self.parent.group.rotations[group.pairs[:, 0]]
        if group.index == 1 or not np.abs(rotations.mean(axis=0)).max() > 1e-9:
            return ()
        return (
            "the child is polar: its origin along the polar direction is free, and the mean displacement is set to "
            "zero",
        )


def relate(
    parent: Parent,
    child: Crystal,
    *,
    symprec: float = 1e-3,
    max_strain: float = 0.25,
    max_displacement: float = 2.0,
    common: bool = False,
) -> Relation:
    """Find how a child sits in its parent.

    The child's operations, as spglib finds them, must all be operations of the parent in the correspondence chosen;
    where the cheapest correspondence does not have this property the next ones are tried.

    Parameters
    ----------
    parent : Parent
    child : Crystal
        In any cell, setting, origin, order of atoms and orientation.
    symprec : float
        spglib's tolerance for the child, angstrom.
    max_strain : float
        Largest principal strain allowed.
    max_displacement : float
        Largest displacement allowed, angstrom.
    common : bool
        Take the operations that both have, where the child has others too.

    Raises
    ------
    MatchingError
        When compositions differ, no mapping is within bounds, or the two have no group-subgroup relation.
    """
    child = _in_parents_vacuum(parent, _with_parents_mixtures(parent, child))
    report = report_symmetry(child, symprec)
    cell = primitive_cell(child, report)
    compare_compositions(parent.crystal.species, cell.crystal.species)
    bounds = {"max_strain": max_strain, "max_displacement": max_displacement}
    candidates = _candidates(parent, cell.crystal, **bounds)
    # only where no cheap mapping keeps the child's group is it worth looking at costly ones
    for candidate in chain(candidates, _costly_candidates(parent, cell.crystal, **bounds)):
        found = _try_candidate(parent, cell, report, candidate, common=common)
        if found is not None:
            distortion, removed = found
            lengths = np.linalg.norm(removed, axis=1)
            relation = Relation(
                parent=parent,
                child=child,
                report=report,
                cell=cell,
                correspondence=candidate,
                distortion=distortion,
                child_labels=cell.crystal.labels,
                removed_max=float(lengths.max()),
                removed_rms=float(np.sqrt(np.mean(lengths**2))),
            )
            return replace(
                relation,
                mapping_notes=_mapping_notes(relation, candidates),
                tolerance_notes=_tolerance_notes(relation),
            )
    raise MatchingError(_no_relation(parent, report, candidates))


def _with_parents_mixtures(parent: Parent, child: Crystal) -> Crystal:
    """Give slightly different mixtures the parent's names, and note it."""
    names, notes = same_mixtures(parent.crystal.species, child.species)
    species = tuple(names.get(kind, kind) for kind in child.species)
    return replace(child, species=species, notes=(*child.notes, *notes)) if names else child


def _in_parents_vacuum(parent: Parent, child: Crystal) -> Crystal:
    """Return a child that is a layer in the cell in which the parent stands, others as they are.

    Raises
    ------
    MatchingError
        When just one of the two is a layer, or the child's layer is much thicker.
    """
    flat = is_layer(parent.crystal)
    if flat != is_layer(child):
        layer, crystal = ("the parent", "the child") if flat else ("the child", "the parent")
        raise MatchingError(
            f"{layer} is a layer with vacuum, {crystal} repeats in all three directions: no distortion turns one into "
            "the other; --periodic ab takes both as layers (without c), --periodic abc both as crystals"
        )
    if not flat:
        return child
    period = float(np.linalg.norm(normal_period(parent.crystal)))
    if (thick := thickness(child)) > period - VACUUM:
        raise MatchingError(
            f"the child's layer is {thick:.1f} angstrom thick, the parent's {period - 2 * VACUUM:.1f}: no distortion "
            "turns one into the other"
        )
    return layer_cell(child, period)


def _costly_candidates(parent: Parent, child: Crystal, **bounds: float) -> Iterator[Correspondence]:
    """Yield correspondences from a wider search, cheapest first."""
    yield from _candidates(parent, child, keep=60, cost_ratio=25.0, **bounds)


def _candidates(parent: Parent, child: Crystal, **options: Any) -> list[Correspondence]:
    """Return correspondences, cheapest first; a chiral parent is compared with both hands of the child."""

    def attempt(mirror: bool) -> list[Correspondence]:
        return list(match(parent.crystal, child, parent.group.rotations, mirror=mirror, **options))

    if not parent.group.is_chiral or parent.finite:
        return attempt(False)
    found: list[Correspondence] = []
    problems: list[MatchingError] = []
    for mirror in (False, True):
        try:
            found += attempt(mirror)
        except MatchingError as problem:
            problems.append(problem)
    if not found:
        raise problems[0]
    # at equal cost the child's own hand is kept
    return sorted(found, key=lambda c: (round(c.cost, 9), c.mirrored))


def _try_candidate(
    parent: Parent, cell: PrimitiveCell, report: SymmetryReport, candidate: Correspondence, *, common: bool = False
) -> tuple[Distortion, np.ndarray] | None:
    """Return the projected distortion and what projecting removed, or None if the child's group is no subgroup."""
    supercell = Supercell(parent, candidate.supercell, candidate.parent_sites, candidate.parent_cells)
    elements = _child_elements(supercell, cell, candidate, report.symprec, common=common)
    if elements is None:
        return None
    group = Subgroup(supercell, elements)
    strain = candidate.stretch - np.eye(3)
    displacements, strain = project(supercell, group, candidate.displacements, strain)
    removed = candidate.displacements - displacements
    if np.linalg.norm(removed, axis=1).max() > max(20 * report.symprec, 0.02):
        return None
    try:
        if group.space_group[0] != report.number and not (candidate.mirrored or common):
            return None
    except SymmetryError:
        return None
    return Distortion(supercell, displacements, strain, group), removed


def _child_elements(
    supercell: Supercell, cell: PrimitiveCell, candidate: Correspondence, symprec: float, *, common: bool
) -> np.ndarray | None:
    """Return the elements of the parent's group that are the child's operations.

    None if one is not there, unless only the common ones are asked for.
    """
    parent = supercell.parent
    columns = candidate.supercell.T
    inverse = np.linalg.inv(columns)
    sign = -1 if candidate.mirrored else 1
    rotations = columns @ cell.rotations @ inverse
    whole = np.rint(rotations).astype(int)
    if np.abs(rotations - whole).max() > 1e-6:
        return None
    index = {rotation.tobytes(): c for c, rotation in enumerate(np.ascontiguousarray(parent.group.rotations))}
    elements = np.zeros((parent.group.order, supercell.n_cells), bool)
    for rotation, translation in zip(whole, sign * cell.translations, strict=True):
        operation = index.get(np.ascontiguousarray(rotation).tobytes())
        if operation is None:
            if common:
                continue
            return None
        shift = columns @ translation + candidate.origin_shift - rotation @ candidate.origin_shift
        gap = shift - parent.group.translation_parts[operation]
        lattice_vector = np.rint(gap)
        if np.linalg.norm((gap - lattice_vector) @ parent.lattice) > max(20 * symprec, 0.05):
            return None
        elements[operation, supercell.quotient.index(lattice_vector.astype(int))] = True
    return elements


# --- what to say about it -----------------------------------------------------------------------------------------


def _mapping_notes(relation: Relation, candidates: list[Correspondence]) -> tuple[str, ...]:
    """Say where the mapping of atoms is not the plain best one."""
    chosen = relation.correspondence
    notes = []
    if chosen is not candidates[0]:
        notes.append(
            f"the cheapest mapping of the atoms (rms {candidates[0].rms:.3f} angstrom) does not keep the child's space "
            f"group; the next that does is used (rms {chosen.rms:.3f} angstrom)"
        )
    rivals = [
        c
        for c in candidates
        if c is not chosen
        and c.mirrored == chosen.mirrored
        and abs(c.cost - chosen.cost) < AMBIGUOUS * chosen.cost + 1e-6
        and _try_candidate(relation.parent, relation.cell, relation.report, c) is not None
    ]
    if rivals and chosen.cost > 1e-8:
        notes.append(
            f"{len(rivals) + 1} mappings of the atoms are nearly equally good (costs {chosen.cost:.4f} and "
            f"{rivals[0].cost:.4f}); the amplitudes are those of the first"
        )
    if chosen.mirrored:
        own = next((c.rms for c in candidates if not c.mirrored), None)
        as_is = f" (rms {own:.3f} angstrom as it is)" if own is not None else ""
        notes.append(
            f"the child has the opposite handedness of the parent: its mirror image is used, "
            f"rms {chosen.rms:.3f} angstrom{as_is}"
        )
    nearest = _nearest_neighbour(relation.parent)
    if chosen.max_displacement > DOUBTFUL * nearest:
        notes.append(
            f"an atom moves by {chosen.max_displacement:.2f} angstrom, more than {DOUBTFUL:g} of the parent's shortest "
            f"distance ({nearest:.2f}): the mapping of atoms is doubtful"
        )
    return tuple(notes)


def _tolerance_notes(relation: Relation) -> tuple[str, ...]:
    """Warn when a slightly larger tolerance gives the child more symmetry."""
    report, order = relation.report, relation.report.n_operations
    higher: dict[str, float] = {}
    for symprec, larger in _reports_at_larger_tolerances(relation.child, report):
        if larger.number == relation.parent.group.number and relation.distortion.total_amplitude > symprec:
            break
        if larger.n_operations > order:
            order = larger.n_operations
            higher[f"{larger.symbol} ({larger.number}) at {symprec:g}"] = symprec
    if not higher:
        return ()
    return (
        f"the child is {report.symbol} ({report.number}) at symprec-child {report.symprec:g} but "
        f"{', '.join(higher)}: try --symprec-child {max(higher.values()):g}, or --noise auto",
    )


def _reports_at_larger_tolerances(child: Crystal, report: SymmetryReport) -> Iterator[tuple[float, SymmetryReport]]:
    """Yield larger tolerances (angstrom) and the child's symmetry there.

    A child without any symmetry is followed up to 0.1 angstrom, because spglib needs several times the noise; in
    others a real distortion may be as small as that.
    """
    largest = 0.1 if report.number == 1 else 0.06
    for factor in (3.0, 10.0, 30.0, 50.0, 100.0):
        symprec = report.symprec * factor
        if symprec > 1.001 * largest:
            return
        try:
            yield symprec, report_symmetry(child, symprec)
        except SymmetryError:
            return


def _nearest_neighbour(parent: Parent) -> float:
    """Return the shortest distance between two atoms of the parent, angstrom."""
    return shortest_contact(parent.crystal)


def _no_relation(parent: Parent, report: SymmetryReport, candidates: list[Correspondence]) -> str:
    """Say why no correspondence makes the child's group a subgroup of the parent's."""
    n_parent = parent.group.order / abs(np.linalg.det(parent.lattice))
    pure = sum(1 for r in report.rotations if (r == np.eye(3)).all())
    n_child = report.n_operations / pure / abs(np.linalg.det(candidates[0].supercell @ parent.lattice))
    text = (
        f"no group-subgroup relation: in none of the {len(candidates)} best mappings are all operations of the child, "
        f"{report.symbol} ({report.number}), operations of the parent, {parent.group}"
    )
    if n_child > n_parent * 1.05:
        return f"{text}. The child has more symmetry than the parent: did you swap the files?"
    return f"{text}. A common parent of higher symmetry, a larger --symprec-child or a larger --max-strain may help"


def describe_basis(matrix: np.ndarray, shift: np.ndarray) -> str:
    """Write a change of cell as ISODISTORT and the Bilbao server take it.

    Examples
    --------
    >>> import numpy as np
    >>> describe_basis(np.array([[1, -1, 0], [1, 1, 0], [0, 0, 2]]), np.zeros(3))
    'a-b,a+b,2c;0,0,0'
    """
    from fractions import Fraction

    def term(value: float, letter: str, first: bool) -> str:
        fraction = Fraction(float(value)).limit_denominator(12)
        size = "" if abs(fraction) == 1 else str(abs(fraction))
        return ("-" if fraction < 0 else "" if first else "+") + size + letter

    vectors = []
    for row in matrix:
        text = ""
        for value, letter in zip(row, "abc", strict=True):
            if abs(value) > 1e-6:
                text += term(value, letter, not text)
        vectors.append(text or "0")

    def coordinate(value: float) -> str:
        fraction = Fraction(float(value)).limit_denominator(24)
        return str(fraction) if abs(float(fraction) - value) < 1e-5 else f"{value:.5f}"

    return ",".join(vectors) + ";" + ",".join(coordinate(value) for value in shift)
