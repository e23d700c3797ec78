"""From two finite sets of points to one distortion; what follows is the code for crystals, at k = 0."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from orderparam.crystals.crystal import Crystal
from orderparam.crystals.pointset import PointSet
from orderparam.errors import MatchingError, SymmetryError
from orderparam.matching.orientation import Overlay, overlays
from orderparam.parent import Parent
from orderparam.pointgroup import checked_point_group, find_operations, schoenflies
from orderparam.pointparent import point_group_of
from orderparam.siteaction import SiteAction
from orderparam.spacegroup import report_symmetry
from orderparam.supercell import Supercell
from orderparam.symmetry.orderparameter import decompose
from orderparam.symmetry.primary import primary_sets

from .analyse import Analysis
from .relate import AMBIGUOUS, DOUBTFUL, Relation, relate

_TRIED = 12
_SAME_BOX = 1e-6  # strain
_SAME_FIELD = 1e-4  # angstrom


def analyse_points(
    parent: Parent, child: PointSet, *, symprec: float = 1e-3, max_displacement: float = 2.0
) -> Analysis:
    """Find the order parameters of a pair of finite sets; parameters are those of `relate_points`.

    Examples
    --------
    >>> import numpy as np
    >>> from orderparam.pointparent import symmetrise_points
    >>> corners = np.array([[1.0, 1, 0], [-1, 1, 0], [-1, -1, 0], [1, -1, 0]])
    >>> square = symmetrise_points(PointSet(corners, ("C",) * 4))
    >>> analysis = analyse_points(square, PointSet(corners * [1.3, 0.7, 1.0], ("C",) * 4))
    >>> analysis.primaries.labels, analysis.decomposition["B2g"].direction
    (('B2g',), '(a)')
    """
    relation = relate_points(parent, child, symprec=symprec, max_displacement=max_displacement)
    decomposition = decompose(relation.distortion)
    return Analysis(relation, decomposition, primary_sets(decomposition))


def relate_points(parent: Parent, child: PointSet, *, symprec: float = 1e-3, max_displacement: float = 2.0) -> Relation:
    """Lay a child onto its parent.

    The child may stand anywhere, turned and with its atoms in any order; a chiral parent is compared with both hands of
    it. The closest way is taken in which all operations of the child are operations of the parent; where there is none
    (a square as the child of a rectangle) the group is that of the operations which both have.

    Parameters
    ----------
    parent : Parent
        Of a finite set.
    child : PointSet
    symprec : float
        Tolerance for the child's symmetry, angstrom.
    max_displacement : float
        Largest displacement allowed, angstrom.

    Raises
    ------
    MatchingError
        When the two do not hold the same atoms, or no way keeps all displacements within bounds.
    """
    ways = _ways(parent, child, max_displacement)
    for common in (False, True):
        for way in ways[:_TRIED]:
            try:
                relation = _relation(parent, child, way, symprec, max_displacement, common=common)
            except MatchingError:
                continue
            return replace(
                relation,
                mapping_notes=(*_symmetry_notes(relation, child), *_mapping_notes(relation, ways, way)),
                tolerance_notes=tuple(_tolerance_notes(relation)),
            )
    raise MatchingError(f"{child.name or 'the child'} is no distortion of {parent.crystal.name or 'the parent'}")


def _ways(parent: Parent, child: PointSet, max_displacement: float) -> list[Overlay]:
    """Return the ways of laying the child onto the parent within bounds, closest first."""
    species = sorted(set(parent.crystal.species) | set(child.species))
    kinds = tuple(np.array([species.index(kind) for kind in some]) for some in (parent.crystal.species, child.species))
    if sorted(parent.crystal.species) != sorted(child.species):
        mine = PointSet(_places(parent), parent.crystal.species).formula
        raise MatchingError(
            f"compositions differ: the parent is {mine}, the child {child.formula}; both must hold the same atoms"
        )
    found = [
        way
        for mirror in ((False, True) if parent.group.is_chiral else (False,))
        for way in overlays(_places(parent), child.centred, (kinds[0], kinds[1]), parent.targets, mirror=mirror)
    ]
    found.sort(key=lambda way: (round(way.rms, 9), way.mirrored))
    near = [way for way in found if np.linalg.norm(way.displacements, axis=1).max() <= max_displacement]
    if not near:
        least = min(float(np.linalg.norm(way.displacements, axis=1).max()) for way in found)
        raise MatchingError(
            f"no way of laying the child onto the parent moves all atoms by less than {max_displacement:g} angstrom "
            f"(the best moves one by {least:.2f}); raise --max-displacement"
        )
    return near


def _places(parent: Parent) -> np.ndarray:
    """Return the parent's points (n, 3) relative to their mean, angstrom."""
    points = Supercell.build(parent, np.eye(3, dtype=int)).points
    return points - points.mean(axis=0)


def _relation(
    parent: Parent, child: PointSet, way: Overlay, symprec: float, max_displacement: float, *, common: bool
) -> Relation:
    """Put the turned child into the parent's box, where the code for crystals takes over."""
    turned = child.centred @ way.rotation.T
    boxed = Crystal(
        parent.lattice, turned @ np.linalg.inv(parent.lattice), child.species, child.labels, child.name, child.notes
    )
    relation = relate(
        parent, boxed, symprec=symprec, max_strain=_SAME_BOX, max_displacement=max_displacement, common=common
    )
    own = relation.correspondence
    rotation = (-1 if way.mirrored else 1) * way.rotation.T @ own.rotation
    return replace(relation, correspondence=replace(own, rotation=rotation, mirrored=way.mirrored))


# --- what to say about it -----------------------------------------------------------------------------------------


def _symmetry_notes(relation: Relation, child: PointSet) -> Iterator[str]:
    """Say where the child has operations that the parent has not."""
    own = find_operations(child, relation.report.symprec)
    group = relation.distortion.group
    if len(own) > group.order:
        yield (
            f"the child ({schoenflies(child, own)}) has symmetry that the parent "
            f"({point_group_of(relation.parent.group.number)[0]}) lacks: {point_group_of(group.space_group[0])[0]} is "
            "what both have"
        )


def _mapping_notes(relation: Relation, ways: list[Overlay], way: Overlay) -> Iterator[str]:
    """Say where the way of laying the child onto the parent is not the plain best one."""
    if way is not ways[0]:
        yield (
            f"the closest way of laying the child onto the parent (rms {ways[0].rms:.3f} angstrom) does not keep the "
            f"child's point group; the next that does is used (rms {way.rms:.3f} angstrom)"
        )
    cost = way.rms**2
    rivals = [
        other
        for other in ways
        if other is not way
        and other.mirrored == way.mirrored
        and abs(other.rms**2 - cost) < AMBIGUOUS * cost + 1e-6
        and not _is_image(relation.parent, other.displacements, way.displacements)
    ]
    if rivals and cost > 1e-8:
        yield (
            f"{len(rivals) + 1} ways of laying the child onto the parent are nearly equally close (rms "
            f"{way.rms:.4f} and {rivals[0].rms:.4f} angstrom); the amplitudes are those of the first"
        )
    if way.mirrored:
        own = next((other.rms for other in ways if not other.mirrored), None)
        as_is = f" (rms {own:.3f} angstrom as it is)" if own is not None else ""
        yield (
            f"the child has the opposite handedness of the parent: its mirror image is used, rms {way.rms:.3f} angstrom"
            + as_is
        )
    points = _places(relation.parent)
    gaps = np.linalg.norm(points[:, None] - points, axis=2)
    nearest, largest = float(gaps[gaps > 0].min()), float(relation.distortion.lengths.max())
    if largest > DOUBTFUL * nearest:
        yield (
            f"an atom moves by {largest:.2f} angstrom, more than {DOUBTFUL:g} of the parent's shortest distance "
            f"({nearest:.2f}): which atom is which is doubtful"
        )


def _is_image(parent: Parent, one: np.ndarray, other: np.ndarray) -> bool:
    """Whether an operation of the parent turns one displacement field (n, 3) into the other: two domains of a child."""
    action = SiteAction(parent.rotations_cart, parent.targets.copy())
    gaps = np.abs(action.transform(action.rotations, one) - other).max(axis=(1, 2))
    return bool(gaps.min() < _SAME_FIELD)


def _tolerance_notes(relation: Relation) -> Iterator[str]:
    """Warn when a slightly larger tolerance gives the child more symmetry."""
    symprec = relation.report.symprec
    for factor in (3.0, 10.0, 30.0):
        if symprec * factor > 0.06 or relation.distortion.total_amplitude < symprec * factor:
            return
        try:
            report = report_symmetry(relation.child, symprec * factor)
        except SymmetryError:
            return
        if report.n_operations > relation.report.n_operations:
            now, then = point_group_of(relation.report.number)[0], point_group_of(report.number)[0]
            yield (
                f"the child is {now} at symprec-child {symprec:g} but {then} at {symprec * factor:g}: try "
                f"--symprec-child {symprec * factor:g}"
            )
            return


def child_point_group(relation: Relation) -> tuple[str, str]:
    """Return the child's own point group, which may exceed what it shares with the parent, and pymatgen's opinion."""
    crystal = relation.child
    points = PointSet(crystal.positions @ crystal.lattice, crystal.species)
    return checked_point_group(points, relation.report.symprec)
