"""Many children of one parent, one network: order parameters in, structures out.

The children may be phases, tilt systems, or compounds on the same sites. Their primary order parameters are not
learned but set to the exact components (Ap), so that all children share one gauge: the network learns the function
from order parameters to displacements and strain. It is equivariant, f(g h) = g f(h), so that every child may stand in
the domain of its file; for comparison and print all are turned into one common domain (`symmetry.alignment`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from orderparam.distortion import Distortion
from orderparam.errors import InvalidInputError
from orderparam.parent import Parent
from orderparam.supercell import Subgroup, Supercell
from orderparam.symmetry.alignment import align
from orderparam.symmetry.carriers import Carrier, SiteIrrep, choose_carrier, find_carriers
from orderparam.symmetry.isotropy import stabiliser, whole_group
from orderparam.symmetry.modes import mode_basis
from orderparam.symmetry.orderparameter import Decomposition, OrderParameter, decompose
from orderparam.symmetry.parentirreps import ParentIrrep
from orderparam.symmetry.primary import (
    Candidate,
    PrimarySet,
    displacive_candidates,
    primary_sets,
    strain_candidates,
)
from orderparam.symmetry.strata import kernel_lattice

if TYPE_CHECKING:
    from orderparam.crystals.crystal import Crystal
    from orderparam.network.problem import FitProblem

LARGEST_INPUT = 2.0
"""The largest input, as a norm per site: powers of the inputs up to the eighth then keep a say."""

NO_DISTORTION = 1e-6


@dataclass(frozen=True, eq=False)
class FamilyInput:
    """A primary order parameter of a family: one vector of components per child.

    Attributes
    ----------
    irrep : ParentIrrep
    is_strain : bool
    copy_weights : (copies,) float64
        Where the displacements hold the irrep several times: the unit vector along which the family is largest; the
        vector of a child is ``copy_weights @ components``.
    """

    irrep: ParentIrrep
    is_strain: bool
    copy_weights: np.ndarray

    @property
    def label(self) -> str:
        """Label of the irrep; a strain says so."""
        return f"strain {self.irrep.label}" if self.is_strain else self.irrep.label

    def of(self, decomposition: Decomposition) -> np.ndarray:
        """Return the vector (dimension,) of a child, Ap; zero where it does not have the irrep."""
        found = self.order_parameter(decomposition)
        return np.zeros(self.irrep.dimension) if found is None else self.copy_weights @ found.components

    def order_parameter(self, decomposition: Decomposition) -> OrderParameter | None:
        """Return a child's order parameter of this irrep, None where its group does not allow it."""
        pool = decomposition.strain if self.is_strain else decomposition.displacive
        return next((o for o in pool if o.label == self.irrep.label), None)


@dataclass(frozen=True, eq=False)
class Member:
    """One child of a family.

    Attributes
    ----------
    name : str
    decomposition : Decomposition
    components : dict
        The inputs (dimension,), Ap, in the domain of the child's file, by label.
    common : dict
        The same in the family's common domain.
    """

    name: str
    decomposition: Decomposition
    components: dict[str, np.ndarray]
    common: dict[str, np.ndarray]

    @property
    def distortion(self) -> Distortion:
        """Displacements, strain and group."""
        return self.decomposition.distortion


@dataclass(frozen=True, eq=False)
class Family:
    """Children of one parent, with the order parameters that tell them apart.

    Attributes
    ----------
    parent : Parent
    members : tuple of Member
    inputs : tuple of FamilyInput
    carrier : Carrier
        The site irreps that carry the inputs.
    unit : float
        Angstrom of order parameter per unit of the network's input.
    """

    parent: Parent
    members: tuple[Member, ...]
    inputs: tuple[FamilyInput, ...]
    carrier: Carrier
    unit: float

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the children."""
        return tuple(member.name for member in self.members)

    def __getitem__(self, name: str) -> Member:
        for member in self.members:
            if member.name == name:
                return member
        raise InvalidInputError(f"family: no child {name}; there are {', '.join(self.names)}")

    def without(self, names: Sequence[str]) -> Family:
        """Return the family with some children left out; inputs, carrier and unit stay."""
        unknown = sorted(set(names) - set(self.names))
        if unknown:
            raise InvalidInputError(f"family: no child {', '.join(unknown)}; there are {', '.join(self.names)}")
        return replace(self, members=tuple(m for m in self.members if m.name not in names))

    @cached_property
    def ranges(self) -> dict[str, tuple[float, float]]:
        """Smallest and largest amplitude (Ap) of every input among the children."""
        sizes = {i.label: [float(np.linalg.norm(m.components[i.label])) for m in self.members] for i in self.inputs}
        return {label: (min(found), max(found)) for label, found in sizes.items()}

    @property
    def warnings(self) -> tuple[str, ...]:
        """What keeps a function of the inputs from meeting all children."""
        notes = []
        labels = ", ".join(given.label for given in self.inputs)
        for member in self.members:
            own = member.distortion.group
            group = joint_group(member.distortion.supercell, self.inputs, member.components)
            if (group.elements != own.elements).any():
                notes.append(
                    f"{member.name}: the inputs {labels} leave {group.space_group[1]}, the child is "
                    f"{own.space_group[1]}: it cannot be met; name more with --irreps"
                )
        for i, one in enumerate(self.members):
            for two in self.members[i + 1 :]:
                gap = sum(float(((one.common[k] - two.common[k]) ** 2).sum()) for k in one.common)
                if np.sqrt(gap) < 1e-4:
                    notes.append(
                        f"{one.name} and {two.name} have the same order parameters: no function tells them apart"
                    )
        return tuple(notes)

    def holder(self, given: FamilyInput) -> SiteIrrep:
        """Return the site irrep that carries an input."""
        return next(s for s in self.carrier.members if s.holds(given.irrep))

    def fields(self, supercell: Supercell, components: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the network's input fields (n_atoms, 2 l + 1) for components by label, by name of the carrier."""
        fields = {s.name: np.zeros((supercell.n_atoms, s.irrep.dim)) for s in self.carrier.members}
        for given in self.inputs:
            holder = self.holder(given)
            basis = mode_basis(holder.representation(), given.irrep)
            values = np.zeros((basis.copies, given.irrep.dimension))
            values[0] = components[given.label] / self.unit
            fields[holder.name] += holder.field(basis, values, supercell)
        return fields

    def problem(self, member: Member) -> FitProblem:
        """Return what the network has to reproduce for one child, its inputs set."""
        from orderparam.network.problem import FitProblem, InputBlock

        distortion, irreps = member.distortion, {s.name: s.irrep for s in self.carrier.members}
        fields = self.fields(distortion.supercell, member.components)
        return FitProblem(
            lattice=distortion.supercell.lattice,
            positions=distortion.supercell.positions,
            species=distortion.supercell.species,
            group=distortion.group.action(),
            displacements=np.array(distortion.displacements),
            strain=np.array(distortion.strain),
            inputs=tuple(InputBlock(irreps[name], field[None], name) for name, field in fields.items()),
            periodic=distortion.supercell.periodic,
        )

    def cell(self, components: Mapping[str, np.ndarray]) -> Supercell:
        """Return the smallest supercell in which order parameters are periodic."""
        irreps = [i.irrep for i in self.inputs if np.linalg.norm(components[i.label]) > 0]
        wide = Supercell.build(self.parent, kernel_lattice(irreps) if irreps else np.eye(3, dtype=int))
        return Supercell.build(self.parent, joint_group(wide, self.inputs, components).lattice_basis)


@dataclass(frozen=True, eq=False)
class Prediction:
    """A structure that follows from order parameters.

    Attributes
    ----------
    supercell : Supercell
    displacements : (n, 3) float64
        Angstrom.
    strain : (3, 3) float64
    warnings : tuple of str
        What of the order parameters lies outside of what was trained.
    """

    supercell: Supercell
    displacements: np.ndarray
    strain: np.ndarray
    warnings: tuple[str, ...] = ()

    def crystal(self, name: str = "") -> Crystal:
        """Return the structure."""
        return self.supercell.with_displacements(self.displacements, self.strain, name)

    def errors(self, distortion: Distortion) -> tuple[float, float]:
        """Return the largest distance of an atom (angstrom) and the norm of the strain's error."""
        gap = np.linalg.norm(self.displacements - distortion.displacements, axis=1)
        return float(gap.max()), float(np.linalg.norm(self.strain - distortion.strain))


def gather_family(
    children: Mapping[str, Decomposition | Distortion],
    *,
    irreps: Sequence[str] | None = None,
    carrier: str | None = None,
) -> Family:
    """Put children of one parent into one family.

    Parameters
    ----------
    children : mapping
        Decompositions or distortions by name, of one `Parent`.
    irreps : sequence of str, optional
        Labels of the inputs, "strain GM3+" for one of the strain. Default: every irrep that is primary for a child.
    carrier : str, optional
        Site irreps to carry them, such as ``Mn:1e``; by default the preferred ones of `find_carriers`.

    Raises
    ------
    InvalidInputError
        When there are no children, their parents differ, nothing is broken, or an irrep is unknown.

    Examples
    --------
    >>> from orderparam.tiltsystems import tilt_system, cubic_perovskite
    >>> parent = cubic_perovskite()
    >>> family = gather_family({s: tilt_system(s, parent) for s in ("a0a0c-", "a0a0c+", "a+b-b-")})
    >>> [given.label for given in family.inputs], family.carrier.name
    (['R4+', 'M3+'], 'Ti:1e')
    """
    parts = {n: c if isinstance(c, Decomposition) else decompose(c) for n, c in children.items()}
    if not parts:
        raise InvalidInputError("family: expected at least one child")
    parents = {id(d.distortion.supercell.parent): d.distortion.supercell.parent for d in parts.values()}
    if len(parents) > 1:
        raise InvalidInputError("family: the children have different parents; relate all of them to one")
    members = _primary_members(parts, irreps)
    inputs = tuple(_family_input(candidate, parts) for candidate in members.members)
    largest = max(parts.values(), key=_breaking)
    chosen = choose_carrier(largest, members, carrier) if carrier else find_carriers(largest, members)[0]
    found, reference = [], {}
    for name, decomposition in parts.items():
        aligned = align(decomposition, reference or None).components
        reference = {**aligned, **reference}
        common = {
            i.label: i.copy_weights @ aligned[i.label] if i.label in aligned else np.zeros(i.irrep.dimension)
            for i in inputs
        }
        found.append(Member(name, decomposition, {i.label: i.of(decomposition) for i in inputs}, common))
    family = Family(next(iter(parents.values())), tuple(found), inputs, chosen, 1.0)
    _check_distorted(family)
    fields = [f for m in found for f in family.fields(m.distortion.supercell, m.components).values()]
    largest_field = max(float(np.linalg.norm(field, axis=1).max()) for field in fields)
    return replace(family, unit=largest_field / LARGEST_INPUT)


def _check_distorted(family: Family) -> None:
    for member in family.members:
        moved = max(member.distortion.lengths.max(), np.abs(member.distortion.strain).max())
        if moved > NO_DISTORTION and not any(np.linalg.norm(c) > NO_DISTORTION for c in member.components.values()):
            raise InvalidInputError(
                f"{member.name}: it has none of the order parameters {', '.join(member.components)}, from which it "
                "would have to follow; leave it out, or name others with --irreps"
            )


def _primary_members(parts: Mapping[str, Decomposition], irreps: Sequence[str] | None) -> PrimarySet:
    """Return one candidate per input irrep, from the child in which it is largest."""
    wanted: list[tuple[str, bool]] = []
    candidates: dict[tuple[str, bool], Candidate] = {}
    for decomposition in parts.values():
        pool = [*displacive_candidates(decomposition), *strain_candidates(decomposition)]
        for candidate in pool:
            known = candidates.get(candidate.key)
            if known is None or candidate.order_parameter.amplitude > known.order_parameter.amplitude:
                candidates[candidate.key] = candidate
        sets = primary_sets(decomposition)
        wanted += [m.key for m in sets[0].members] if sets else []
    if irreps is not None:
        wanted = [_key_of(label, candidates) for label in irreps]
    missing = [label for label, strain in wanted if (label, strain) not in candidates]
    if missing:
        known = ", ".join(dict.fromkeys(label for label, _ in candidates)) or "none"
        raise InvalidInputError(f"--irreps {', '.join(missing)}: no child has this order parameter; there are {known}")
    if not wanted:
        raise InvalidInputError(
            "family: no child breaks a symmetry of the parent; there is no order parameter to learn"
        )
    members = tuple(candidates[key] for key in dict.fromkeys(wanted))
    share = sum(m.share for m in members)
    return PrimarySet(members, share, share)


def _key_of(label: str, candidates: Mapping[tuple[str, bool], Candidate]) -> tuple[str, bool]:
    """Return the irrep and whether it is one of the strain; of the displacements where both have it."""
    if label.startswith("strain "):
        return label.removeprefix("strain "), True
    return next((key for key in sorted(candidates, key=lambda key: key[1]) if key[0] == label), (label, False))


def _family_input(candidate: Candidate, parts: Mapping[str, Decomposition]) -> FamilyInput:
    """Find the direction among the copies of an irrep along which the children are largest."""
    irrep, copies = candidate.order_parameter.irrep, len(candidate.order_parameter.components)
    plain = FamilyInput(irrep, candidate.is_strain, np.ones(copies) / np.sqrt(copies))
    found = [o.components for d in parts.values() if (o := plain.order_parameter(d)) is not None]
    left = np.linalg.svd(np.concatenate(found, axis=1))[0][:, 0]
    return replace(plain, copy_weights=left * np.sign(left[np.abs(left).argmax()]))


def _breaking(decomposition: Decomposition) -> float:
    return sum(o.amplitude**2 for o in decomposition.displacive if not o.irrep.is_identity)


def joint_group(supercell: Supercell, inputs: Sequence[FamilyInput], components: Mapping[str, np.ndarray]) -> Subgroup:
    """Return the elements under which all inputs are invariant."""
    group = whole_group(supercell)
    for given in inputs:
        vector = components[given.label]
        if np.linalg.norm(vector) > NO_DISTORTION:
            group = group & stabiliser(supercell, given.irrep, vector[None])
    return group
