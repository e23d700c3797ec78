# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#       jupytext_version: 1.19.6
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Perovskite tilts: the paper redone, and explained
#
# Smidt, Geiger and Miller (Phys. Rev. Research 3, L012002 (2021)) gave an equivariant network a cubic perovskite and asked
# for an orthorhombic one. With learnable inputs on the B cations, and a penalty on them that grows as $l^6$, it found
# pseudovectors: the axes of the octahedral tilts. This page does the same with the same pair of structures
# ($Pm\bar3m \to Pnma$), compares the numbers, and explains the one thing that the paper left open: why its networks
# stopped at an error of about 0.01 angstrom.
#
# | in the paper (its own notebooks) | result |
# |---|---|
# | inputs 0e to 2o on B, penalty as $l^6$ | 1e dominates, then 2e; mean absolute error 0.0105 A |
# | pseudovectors with one component zero | space group 74 |
# | one wave vector of R, one of M, given by hand | mean absolute error 0.0106 A |

# %%
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from orderparam import analyse, discover, predicted_crystal, read_crystal, report_symmetry, symmetrise
from orderparam.network.architecture import Architecture
from orderparam.network.layout import draw_weights
from orderparam.network.orbits import Orbits
from orderparam.network.problem import FitConfig, FitProblem, InputBlock
from orderparam.network.reduced import single_thread
from orderparam.network.residuals import Residuals, build_network
from orderparam.network.solver import solve
from orderparam.o3 import Irrep
from orderparam.records import drawing_record
from orderparam.report import figures
from orderparam.report.folder import inputs_record
from orderparam.report.scene import build_scene
from orderparam.siteaction import SiteAction
from orderparam.symmetry.carriers import site_irreps

here = Path.cwd()
perovskites = next(p for p in (here, *here.parents) if (p / "structures").is_dir()) / "structures" / "perovskite"
parent = symmetrise(read_crystal(perovskites / "Smidt2021_221.cif"))
analysis = analyse(parent, read_crystal(perovskites / "Smidt2021_62.cif"))
distortion = analysis.relation.distortion
print(
    parent, "with", parent.origin_atom, "at the origin; largest displacement", round(distortion.lengths.max(), 4), "A"
)
target = [part for part in analysis.decomposition.displacive if not part.is_zero]
total = sum(part.amplitude**2 for part in target)
for part in target:
    print(f"{part.label}: {part.amplitude**2 / total:.4f} of the squared displacement, alone {part.subgroup}")

# %% [markdown]
# ## The sparsity route, as in the paper
#
# Offer the network every field of $l \le 2$ on the B cations: scalars and pseudoscalars (0e, 0o), pseudovectors and vectors
# (1e, 1o), second-rank tensors of both parities (2e, 2o); 72 numbers on four atoms. Ask for the child, and charge
# $l^6\,|h_l|$ for each kind. Here the price is paid by iterated reweighting inside the Levenberg-Marquardt solver, in place
# of gradient descent; the network has a *tensor-square* nonlinearity, where the paper's had gates (more of that
# below).

# %%
supercell = distortion.supercell
B_atoms = [i for i, site in enumerate(supercell.sites) if parent.crystal.labels[site] == parent.origin_atom]
KINDS = [Irrep.parse(name) for name in ("0e", "0o", "1e", "1o", "2e", "2o")]


def free_field(irrep):
    """Every field of one kind on the B cations, one basis vector per number."""
    basis = np.zeros((len(B_atoms) * irrep.dim, supercell.n_atoms, irrep.dim))
    for row, (atom, component) in enumerate((a, m) for a in B_atoms for m in range(irrep.dim)):
        basis[row, atom, component] = 1
    return InputBlock(irrep, basis, f"B:{irrep}")


def problem_with(inputs, group):
    return FitProblem(
        lattice=supercell.lattice,
        positions=supercell.positions,
        species=supercell.species,
        group=group,
        displacements=np.array(distortion.displacements),
        strain=np.array(distortion.strain),
        inputs=tuple(inputs),
    )


@dataclass
class Priced:
    """Residuals of the fit, and below them the priced inputs."""

    residuals: np.ndarray
    point: object
    price: np.ndarray

    def jacobian(self):
        own = self.point.jacobian()
        below = np.zeros((len(self.price), own.shape[1]))
        below[:, -len(self.price) :] = np.diag(self.price)
        return np.vstack([own, below])


def sparse_fit(problem, seed, price=1e-3, rounds=5):
    """Return the size of each kind of input that is left, and the mean absolute error (angstrom)."""
    network = build_network(problem, Architecture(lmax=2), Orbits.of(problem.group))
    residuals = Residuals(problem, network, FitConfig(seed=seed))
    weights, embedding = draw_weights(network.shapes, len(problem.kinds), 4, (seed, 0))
    residuals.use_embedding(embedding)
    unknowns = np.concatenate([weights, np.zeros(residuals.n_unknowns - len(weights))])
    ends = np.cumsum([0, *(block.n_free for block in problem.inputs)])
    sizes = np.ones(len(problem.inputs))
    for _ in range(rounds):
        # l^6 |h| is l^6 h^2 / |h| with the |h| of the round before
        weight = [price * b.irrep.l**6 / (size + 1e-3) for b, size in zip(problem.inputs, sizes, strict=True)]
        costs = np.sqrt(np.repeat(weight, np.diff(ends)))

        def evaluate(x, costs=costs):
            point = residuals.evaluate(x)
            return Priced(np.concatenate([point.residuals, costs * x[len(weights) :]]), point, costs)

        with single_thread():  # small matrices: more threads are slower
            unknowns = solve(evaluate, unknowns, tolerance=1e-9, max_iterations=10).unknowns
        field = unknowns[len(weights) :]
        sizes = np.array([np.linalg.norm(part) for part in np.split(field, ends[1:-1])])
    # the basis of the residuals is orthonormal: their rms per coordinate is that of the atoms
    left = residuals.evaluate(unknowns).residuals
    return sizes, float(np.linalg.norm(left) / np.sqrt(3 * supercell.n_atoms))


blind = SiteAction(np.eye(3)[None], np.arange(supercell.n_atoms)[None])
offered = problem_with([free_field(irrep) for irrep in KINDS], blind)
sizes, error = sparse_fit(offered, seed=0)
for irrep, size in zip(KINDS, sizes, strict=True):
    print(f"{irrep}: |h| = {size:.6f}")
print(f"rms error {error:.5f} A per coordinate")

# %% [markdown]
# The pseudovector survives. The odd kinds are zero to the last digit, though nothing told the network so: the B cations sit
# on inversion centres of the child, an odd field there would break the inversion that the child has, and the gradient
# never points there. The scalar 0e costs nothing ($l = 0$), and says nothing.
#
# The gradient keeps the inputs invariant under the child's group by itself, so we may as well work with the invariant
# fields only. That makes a run so cheap that twenty seeds are no matter.


# %%
def invariant_field(irrep):
    """The fields of one kind on B that are invariant under the child's group."""
    from orderparam.o3 import wigner_d

    action = distortion.group.action()
    whole = free_field(irrep).basis
    averaged = np.array([action.average(wigner_d(irrep, action.rotations), field) for field in whole])
    flat = averaged.reshape(len(whole), -1)
    _, values, rows = np.linalg.svd(flat, full_matrices=False)
    return InputBlock(irrep, rows[values > 1e-6].reshape(-1, *whole.shape[1:]), f"B:{irrep}")


fields = [invariant_field(irrep) for irrep in KINDS]
print("free numbers:", {str(f.irrep): f.n_free for f in fields})
invariant = problem_with([f for f in fields if f.n_free], distortion.group.action())
picked, errors = Counter(), []
for seed in range(20):
    sizes, error = sparse_fit(invariant, seed)
    largest = max(size for block, size in zip(invariant.inputs, sizes, strict=True) if block.irrep.l)
    kept = [str(b.irrep) for b, s in zip(invariant.inputs, sizes, strict=True) if b.irrep.l and s > 0.05 * largest]
    picked[" + ".join(kept)] += 1
    errors.append(error)
print("what is kept besides scalars, 20 seeds:", dict(picked))
print(f"rms error: median {np.median(errors):.5f}, largest {max(errors):.5f} A")

# %% [markdown]
# On one species, with this price, nearly all seeds agree, and the few others add 2e, as in the paper. It is not a rule to
# build on: offer the same fields on *all* atoms and
# each seed picks another set, because very many pairs of inputs reproduce the child exactly. Therefore `orderparam` does not
# use a penalty. It takes the smallest set of irreps whose symmetry is the child's, the cheapest field that holds them, and
# then lets the network verify. No seed enters:

# %%
found = discover(analysis, seed=0)
print("primary:", ", ".join(analysis.primaries.labels), "| carrier:", found.carrier)
print(
    f"mean absolute error {found.fit.deviation.mean_abs:.1e} A (paper: 0.0105 A), largest {found.fit.deviation.max:.1e}"
)
group = report_symmetry(predicted_crystal(analysis, found.fit), 1e-4)
print(f"prediction: {group.symbol} ({group.number})")
figures.learned(build_scene(drawing_record(analysis)), inputs_record(found)["inputs"])

# %% [markdown]
# ## Why gated networks stop
#
# A gate multiplies a tensor by a function of *scalars*. Do the scalars know of the tilts? By Schur's lemma a scalar field on
# an atom can depend on $h$ to first order only through an irrep that scalars on that atom hold. So ask which of the target's
# irreps are held by scalars:

# %%
for site_irrep in site_irreps(parent):
    if site_irrep.irrep.l == 0:
        held = [part.label for part in target if site_irrep.holds(part.irrep)]
        print(f"{site_irrep.name:6} holds {', '.join(held) or 'none of them'}")
pseudovector = next(s for s in site_irreps(parent) if s.name == found.carrier.name)
carried = {part.label for part in target if pseudovector.holds(part.irrep)}
print("pseudovectors on B hold", ", ".join(sorted(carried)))

# %% [markdown]
# Scalars (0e) hold none of them, so no even gate ever feels the pseudovectors, and the network stays *linear* in $h$. A linear
# equivariant map takes an irrep into itself only; and pseudovectors on B do not hold `R5+`. That part of the target is out of
# reach for every such network, of any size. How large is it?

# %%
missed = np.zeros_like(distortion.displacements)
for part in target:
    if part.label not in carried:
        missed = missed + part.field()
floor = np.linalg.norm(missed, axis=1).max()
print(f"out of reach of a linear map: largest {floor:.5f} A, mean absolute {np.abs(missed).mean():.4f} A")

# %% [markdown]
# This is the paper's floor: networks with e3nn's gates stop at just this error (0.0430 A at most on an atom), for every seed
# and every $l_\mathrm{max}$. `R5+` is of third order in the tilts (`R4+` once and `M3+` twice, or `R4+` three times). A layer that
# multiplies features with features (a tensor square) has it after two layers.
#
# ## A constraint, and a subtlety
#
# The paper forced one component of the pseudovectors to zero and found space group 74 ($Imma$). Which tilts are left then?
# The two primaries, with their components along the axis of `M3+` removed: only `R4+`.

# %%
alone = next(part for part in target if part.label == "R4+")
print(f"R4+ by itself leaves {alone.subgroup}")
exact = analysis.relation.distortion.projected(next(c.subgroup for c in analysis.primary_members if c.label == "R4+"))
group_74 = report_symmetry(exact.crystal(), 1e-4)
print(f"the child averaged over that group: {group_74.symbol} ({group_74.number})")

# %% [markdown]
# The results, as assertions.

# %%
assert set(analysis.primaries.labels) == {"R4+", "M3+"}
assert found.carrier.name.endswith(":1e")
assert sizes[[b.irrep.l for b in invariant.inputs].index(2)] < sizes[[b.irrep.l for b in invariant.inputs].index(1)]
assert picked["1e"] >= 18
assert found.fit.deviation.mean_abs < 1e-6
assert group.number == 62
assert group_74.number == 74
assert {part.label for part in target} - carried == {"R5+"}
assert abs(floor - 0.0430) < 1e-4
