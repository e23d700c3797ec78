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
# # A real relaxation: which symmetry does it have?
#
# You relaxed a supercell from random displacements, and the code says `P1`. It nearly always does: no coordinate is exact.
# The file used here is such a case: 40 atoms of CaTiO$_3$, relaxed by a machine-learned potential (CHGNet) until forces were
# below 0.08 eV/angstrom, and no symmetry was imposed. What is structure, what is noise, and what is neither?

# %%
from pathlib import Path

import numpy as np

from orderparam import analyse, read_crystal, report_symmetry, symmetrise
from orderparam.crystals.crystal import Crystal
from orderparam.report import figures
from orderparam.subgroups import subgroup_graph

here = Path.cwd()
root = next(p for p in (here, *here.parents) if (p / "structures").is_dir())
parent = symmetrise(read_crystal(root / "structures" / "perovskite" / "CaTiO3_221.cif"))
relaxed = read_crystal(root / "tutorials" / "data" / "CaTiO3_chgnet.cif")
for symprec in (1e-3, 1e-2, 3e-2, 1e-1, 0.2):
    report = report_symmetry(relaxed, symprec)
    print(f"spglib at {symprec:5.3f} A: {report.symbol} ({report.number})")

# %% [markdown]
# A tolerance is a guess about every operation at once. At 0.2 angstrom the answer is a sensible one; but who would have
# chosen 0.2, and what would have been swept under it? The exact decomposition without any thought of noise is no better: it
# names everything, because in `P1` everything is allowed.

# %%
everything = analyse(parent, relaxed)
names = [part.label for part in everything.decomposition.displacive if not part.is_zero]
print(len(names), "irreps:", ", ".join(names))

# %% [markdown]
# ## Let the coordinates decide
#
# `noise="auto"` treats the child as *symmetric distortion + independent Gaussian noise on each coordinate*, and asks for
# every subgroup of the parent's group: how likely are the coordinates if this is the symmetry? A subgroup with more free
# coordinates always fits better, and pays for them. The noise level comes out as well.

# %%
analysis = analyse(parent, relaxed, noise="auto")
noise = analysis.noise
print(f"{noise.space_group[1]} ({noise.space_group[0]}), sigma {noise.sigma:.4f} A per coordinate")
print(f"best lower group {noise.next_lower.space_group}, costs {noise.next_lower.cost_difference:.0f} more")
print(f"an order parameter below {noise.detection_limit:.2f} A would go unseen\n")
for part in analysis.decomposition.displacive:
    if not part.is_zero:
        mark = "primary" if part.label in {m.label for m in analysis.primary_members} else ""
        print(f"{part.label:5} {part.amplitude_supercell:7.3f} A in the child's cell  {mark}")
figures.amplitudes(analysis)

# %% [markdown]
# The tilts `R4+` and `M3+`, and the `X5+` that follows from them, are those of the crystal as measured (1.246, 0.887 and
# 0.520 A). But there is a polar part too, `GM4-`, and it is well above the detection limit. Measured CaTiO$_3$ is not polar.
# Is the method wrong?
#
# ## Test the criterion, then its assumption
#
# First, a control. Take the measured structure, which *is* $Pnma$, add independent noise of just the sigma found above to
# every coordinate of the same 40 atoms, shuffle them, and ask again.

# %%
measured = analyse(parent, read_crystal(root / "structures" / "perovskite" / "CaTiO3_62.cif"))
truth = measured.relation.distortion.crystal()
answers = []
for seed in range(5):
    rng = np.random.default_rng(seed)
    moved = truth.positions + rng.normal(0, noise.sigma, truth.positions.shape) @ np.linalg.inv(truth.lattice)
    order = rng.permutation(truth.n_sites)
    shaken = Crystal(truth.lattice, moved[order], tuple(truth.species[i] for i in order))
    answers.append(analyse(parent, shaken, noise="auto").noise.space_group[1])
print("independent noise on the measured structure:", answers)

# %% [markdown]
# So where the assumption holds, the criterion finds $Pnma$ each time. What differs in the relaxation is the *assumption*.
# What a relaxation leaves behind is not the same in all directions: an atom is off by force divided by stiffness, and a
# soft mode is off by much. CaTiO$_3$ is an incipient ferroelectric, its softest mode is polar, and it transforms as `GM4-`.
# The remainder lies just there. To the program that is structure, and rightly: it cannot know which modes are soft. You do.
#
# ## Impose what you know
#
# The graph of subgroups holds every symmetry between the one found and the parent's, each with the structure averaged over
# it and the distance of that structure from yours.

# %%
graph = subgroup_graph(analysis)
close = sorted((n for n in graph.nodes if n.is_realised), key=lambda n: n.distance)[:6]
for node in close:
    print(
        f"{node.space_group[1]:8} ({node.space_group[0]:3})  {node.distance:.3f} A away, keeps {list(node.amplitudes)}"
    )
chosen = next(n for n in close if n.space_group[0] == 62)
structure = chosen.distortion.crystal()
report = report_symmetry(structure, 1e-4)
print(f"\nwritten out: {report.symbol} ({report.number}), {structure.n_sites} atoms")

# %% [markdown]
# One step up is $Pnma$, and what it gives up is the polar part and little else. Compare with the measured structure, in
# amplitudes per parent cell (Ap), which do not depend on the cell:

# %%
ours = {p.label: p.amplitude for p in analyse(parent, structure).decomposition.displacive}
theirs = {p.label: p.amplitude for p in measured.decomposition.displacive}
for label in ("R4+", "M3+", "X5+", "R5+"):
    print(f"{label}: relaxed {ours[label]:.3f}, measured {theirs[label]:.3f} A")

# %% [markdown]
# The result, as assertions. (The last says: a group chosen from noisy data is a statement about the data *and* the
# assumption that the noise is independent. Relax further, or compute the energy along `GM4-`, before believing in it.)

# %%
assert report_symmetry(relaxed, 1e-3).number == 1
assert len(names) >= 15
assert {"R4+", "M3+", "GM4-"} == {m.label for m in analysis.primary_members}
assert answers == ["Pnma"] * 5
assert report.number == 62
assert chosen.distance < 0.25
assert all(abs(ours[label] - theirs[label]) < 0.03 for label in ("R4+", "M3+", "X5+"))
