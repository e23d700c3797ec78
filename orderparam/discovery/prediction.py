"""From order parameter to structure: any amplitude, direction or domain, by what one child taught.

The order parameters are set, the network gives what follows from them. One child fixes the function at one point only;
in between it is the one of the smallest weights (`network.settle`): every other irrep then follows with the lowest
power that symmetry allows, as in the exact power law, which one child cannot beat. The primary order parameters of a
prediction are those that were set, exactly: higher powers of them in themselves would be a matter of gauge.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from orderparam.distortion import Distortion
from orderparam.errors import ConvergenceError, InvalidInputError
from orderparam.o3 import symmetric_to_irreps
from orderparam.supercell import Supercell
from orderparam.symmetry.covariants import PowerLaw
from orderparam.symmetry.modes import expand
from orderparam.symmetry.orderparameter import Decomposition, OrderParameter, decompose, strain_tensor

from .family import Family, FamilyInput, Member, gather_family, joint_group

if TYPE_CHECKING:
    from orderparam.network.trained import TrainedNetwork

SAME_DIRECTION = 1e-3
"""Two directions whose unit vectors differ by less are one."""


@dataclass(frozen=True, eq=False)
class Follower:
    """How one irrep of the child behaves along the path h -> s h.

    Attributes
    ----------
    order_parameter : OrderParameter
        Of the child, at s = 1.
    is_strain : bool
    degree : int or None
        Lowest power of the primary order parameters that symmetry allows, 1 for these themselves; None beyond 8.
    """

    order_parameter: OrderParameter
    is_strain: bool
    degree: int | None

    @property
    def label(self) -> str:
        """Label of the irrep; a strain says so."""
        return f"strain {self.order_parameter.label}" if self.is_strain else self.order_parameter.label


@dataclass(frozen=True, eq=False)
class Image:
    """One structure of a path.

    Attributes
    ----------
    s : float
    distortion : Distortion
        In the child's cell.
    amplitudes, power_law, linear : dict
        Amplitude of every irrep (As, angstrom; strains: Frobenius norm) in the prediction, by the power law s^degree,
        and by linear interpolation.
    from_power_law, from_linear : float
        Largest distance of an atom from its place by these two, angstrom.
    """

    s: float
    distortion: Distortion
    amplitudes: dict[str, float]
    power_law: dict[str, float]
    linear: dict[str, float]
    from_power_law: float
    from_linear: float


@dataclass(frozen=True, eq=False)
class Predictor:
    """A network as a function of the order parameters.

    Attributes
    ----------
    family : Family
        One child alone or several, with their inputs.
    network : TrainedNetwork
        Of one child: settled, of smallest weights.
    """

    family: Family
    network: TrainedNetwork

    @property
    def child(self) -> Member:
        """The child that taught it.

        Raises
        ------
        InvalidInputError
            When there are several.
        """
        if len(self.family.members) > 1:
            raise InvalidInputError(
                f"this network was taught by {len(self.family.members)} children; a path leads to the child of a fit "
                "of one: set order parameters instead (--set)"
            )
        return next(iter(self.family.members))

    @property
    def ranges(self) -> dict[str, tuple[float, float]]:
        """Smallest and largest amplitude (Ap) that was taught; one child and the parent teach all sizes in between."""
        alone = len(self.family.members) == 1
        return {label: (0.0 if alone else low, high) for label, (low, high) in self.family.ranges.items()}

    @property
    def inputs(self) -> tuple[FamilyInput, ...]:
        """The order parameters that can be set."""
        return self.family.inputs

    def components(self, order_parameters: Mapping[str, Sequence[float] | np.ndarray]) -> dict[str, np.ndarray]:
        """Return one vector (dimension,) per input; those not named are zero.

        Raises
        ------
        InvalidInputError
            When a label is no input, or the number of components does not fit.
        """
        known = {given.label: given.irrep.dimension for given in self.inputs}
        unknown = sorted(set(order_parameters) - set(known))
        if unknown:
            raise InvalidInputError(
                f"{', '.join(unknown)}: not an input of this fit; its inputs are {', '.join(known)}. The others follow"
            )
        found = {label: np.zeros(n) for label, n in known.items()}
        for label, values in order_parameters.items():
            vector = np.asarray(values, float).ravel()
            if vector.shape != (known[label],) or not np.isfinite(vector).all():
                raise InvalidInputError(f"{label}: expected {known[label]} finite components, received {vector.size}")
            found[label] = vector
        return found

    def predict(self, order_parameters: Mapping[str, Sequence[float] | np.ndarray]) -> Distortion:
        """Return the structure that follows from order parameters, in the smallest cell.

        Parameters
        ----------
        order_parameters : mapping
            Components (dimension,) by label, Ap, angstrom, in any domain; those not named are zero.
        """
        components = self.components(order_parameters)
        return self.on(self.family.cell(components), components)

    def on(self, supercell: Supercell, components: Mapping[str, np.ndarray]) -> Distortion:
        """Return the prediction in a given cell, in which the order parameters must be periodic."""
        fields = self.family.fields(supercell, components)
        moved = self.network.on(supercell.lattice, supercell.positions, supercell.species)
        found = moved.predict(fields)
        for given in self.inputs:
            found = self._as_set(given, components[given.label], supercell, found)
        displacements, strain = found
        group = joint_group(supercell, self.inputs, components)
        return Distortion(supercell, displacements - displacements.mean(axis=0), (strain + strain.T) / 2, group)

    def _as_set(
        self, given: FamilyInput, wanted: np.ndarray, supercell: Supercell, found: tuple[np.ndarray, np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Replace the part of a primary irrep along its copies by what was set."""
        displacements, strain = found
        known = (given.order_parameter(member.decomposition) for member in self.family.members)
        own = next((o for o in known if o is not None), None)
        if own is None:
            return found
        if given.is_strain:
            values = own.basis.components(symmetric_to_irreps(strain)[None, None])
        else:
            values = own.basis.components(supercell.fourier(displacements, own.basis.k))
        gap = np.outer(given.copy_weights, wanted - given.copy_weights @ values)
        if given.is_strain:
            return displacements, strain + strain_tensor(replace(own, components=gap))
        return displacements + expand(own.basis, supercell, gap), strain

    def warnings(self, order_parameters: Mapping[str, Sequence[float] | np.ndarray]) -> tuple[str, ...]:
        """Return what about some order parameters lies outside of what was trained."""
        notes, components = [], self.components(order_parameters)
        if not any(vector.any() for vector in components.values()):
            return ()  # the parent, exactly
        alone = len(self.family.members) == 1
        for given in self.inputs:
            label, vector = given.label, components[given.label]
            size, (least, most) = float(np.linalg.norm(vector)), self.ranges[given.label]
            if not least * (1 - 1e-6) <= size <= most * (1 + 1e-6):
                unit = "" if given.is_strain else " angstrom (Ap)"
                low = "0" if least == 0 else f"{least:.4f}"
                notes.append(f"{label}: amplitude {size:.4f} is outside the trained range {low} to {most:.4f}{unit}")
            if alone and size > 0 and not self._is_trained_direction(label, vector):
                notes.append(f"{label}: the direction is no domain of the child's; one child says little about others")
        return tuple(notes)

    def _is_trained_direction(self, label: str, vector: np.ndarray) -> bool:
        given = next(i for i in self.inputs if i.label == label)
        trained = self.child.components[label] / np.linalg.norm(self.child.components[label])
        supercell = self.child.distortion.supercell
        images = given.irrep.translate(trained @ np.swapaxes(given.irrep.matrices, 1, 2), supercell.translations)
        return bool(np.linalg.norm(images - vector / np.linalg.norm(vector), axis=-1).min() < SAME_DIRECTION)

    def followers(self) -> tuple[Follower, ...]:
        """Return every irrep of the child with the power at which it follows, primary ones first."""
        decomposition = self.child.decomposition
        vectors = [[self.child.components[i.label] for i in self.inputs]]
        primary = {(i.irrep.label, i.is_strain) for i in self.inputs}
        found = []
        for is_strain, pool in ((False, decomposition.displacive), (True, decomposition.strain)):
            for o in pool:
                if o.is_zero:
                    continue
                degree: int | None = 1
                if (o.label, is_strain) not in primary:
                    law = PowerLaw.between(self.family.parent, [i.irrep for i in self.inputs], o.irrep)
                    degree = law.degree(vectors)
                found.append(Follower(o, is_strain, degree))
        return tuple(sorted(found, key=lambda f: (f.degree or 9, f.is_strain)))

    def path(self, n: int) -> tuple[Image, ...]:
        """Return n structures from the parent (s = 0) to the child (s = 1), its order parameters times s.

        Raises
        ------
        InvalidInputError
            When n is smaller than 2.
        """
        if n < 2:
            raise InvalidInputError(f"--path {n}: expected at least 2 structures, the parent and the child")
        followers = self.followers()
        return tuple(self._image(float(s), followers) for s in np.linspace(0, 1, n))

    def _image(self, s: float, followers: Sequence[Follower]) -> Image:
        distortion = self.child.distortion
        components = {label: s * vector for label, vector in self.child.components.items()}
        moved = replace(self.on(distortion.supercell, components), group=distortion.group)
        found = _amplitudes(decompose(moved))
        law = np.zeros_like(distortion.displacements)
        for f in followers:
            law = law + (0.0 if f.is_strain else f.order_parameter.field() * _power(s, f))
        gaps = [
            np.linalg.norm(moved.displacements - other, axis=1).max() for other in (law, s * distortion.displacements)
        ]
        whole = _amplitudes(self.child.decomposition)
        return Image(
            s=s,
            distortion=moved,
            amplitudes={f.label: found.get(f.label, 0.0) for f in followers},
            power_law={f.label: whole[f.label] * _power(s, f) for f in followers},
            linear={f.label: whole[f.label] * s for f in followers},
            from_power_law=float(gaps[0]),
            from_linear=float(gaps[1]),
        )


def _power(s: float, follower: Follower) -> float:
    """Return s^degree; beyond the degrees looked at, that of the next one."""
    return s ** (follower.degree or 9)


def _amplitudes(decomposition: Decomposition) -> dict[str, float]:
    displacive = {o.label: o.amplitude_supercell for o in decomposition.displacive}
    return displacive | {f"strain {o.label}": o.amplitude for o in decomposition.strain}


def build_predictor(
    decomposition: Decomposition, labels: Sequence[str], carrier: str, network: TrainedNetwork, *, seed: int
) -> Predictor:
    """Turn a fitted network into a function of the order parameters.

    Parameters
    ----------
    decomposition : Decomposition
        Of the child that it was fitted to.
    labels : sequence of str
        The order parameters that it was given.
    carrier : str
        The site irreps that carried them.
    network : TrainedNetwork
    seed : int
        For other starts, where the network's own weights do not lead on.

    Raises
    ------
    InvalidInputError
        When the order parameters do not determine the child.
    ConvergenceError
        When no weights meet the child with these inputs.
    """
    from orderparam.network.joint import fit_jointly
    from orderparam.network.problem import FitConfig
    from orderparam.network.settle import settle

    family = gather_family({"child": decomposition}, irreps=labels, carrier=carrier)
    if family.warnings:
        raise InvalidInputError(f"prediction: {family.warnings[0]}")
    problems, config = [family.problem(family.members[0])], FitConfig(seed=seed)
    try:
        settled = settle(network, problems, config)
    except ConvergenceError:
        again = fit_jointly(problems, config, architecture=network.architecture)
        settled = settle(again.network, problems, config)
    return Predictor(family, settled)
