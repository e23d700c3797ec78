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
# # Curie's principle: the square and the rectangle
#
# Four points on a square. Teach an equivariant network to move them to a rectangle. It cannot, and no training will help:
# the square looks the same after a quarter turn, so the answer must look the same after a quarter turn, and a rectangle does
# not. Pierre Curie put it so in 1894: *the effect has at least the symmetry of its causes*.
#
# This is the whole idea of the program in its smallest example (it is the first one of Smidt, Geiger and Miller, Phys. Rev.
# Research 3, L012002 (2021)). A failure of the network is information: what it misses says which cause is missing.

# %%
from pathlib import Path

import numpy as np
import plotly.graph_objects as go

from orderparam import discover
from orderparam.crystals.pointset import read_points, report_point_group
from orderparam.discovery.floor import symmetry_floor
from orderparam.discovery.pointrelation import analyse_points
from orderparam.network.fit import fit
from orderparam.network.problem import FitConfig, FitProblem, InputBlock
from orderparam.o3 import Irrep
from orderparam.pointparent import symmetrise_points
from orderparam.report.figures.style import styled
from orderparam.siteaction import SiteAction

here = Path.cwd()
points = next(p for p in (here, *here.parents) if (p / "structures").is_dir()) / "structures" / "points"
square, rectangle = read_points(points / "square.xyz"), read_points(points / "rectangle.xyz")
print("square:", report_point_group(square), "| rectangle:", report_point_group(rectangle))

# %% [markdown]
# ## What is the least that must be missed?
#
# Average the wanted displacement over all operations of the square. What survives is the most that a symmetric answer can
# do; the rest is the **symmetry floor**. It is known before any training.

# %%
analysis = analyse_points(symmetrise_points(square), rectangle)
floor = symmetry_floor(analysis.decomposition)
print(f"no symmetric input can do better than {floor.max:.4f} (largest distance of a point)")
for part in analysis.decomposition.displacive:
    if not part.is_zero:
        print(f"the displacement is {part.label}, amplitude {part.amplitude_supercell:.4f}")

# %% [markdown]
# ## Which input would help?
#
# Offer the network one extra input that all four points share, of each kind in turn: scalars (0e), pseudoscalars (0o),
# pseudovectors (1e), vectors (1o), tensors of second rank (2e, 2o) and third-rank odd ones (3o). The solver is told nothing
# about symmetry (its group is the identity alone) and may set them as it likes.

# %%
supercell = analysis.relation.distortion.supercell
n = supercell.n_atoms


def shared(irrep):
    """An input that all points share, free to break any symmetry."""
    basis = np.zeros((irrep.dim, n, irrep.dim))
    for m in range(irrep.dim):
        basis[m, :, m] = 1 / np.sqrt(n)
    return InputBlock(irrep, basis, f"all:{irrep}")


found = discover(analysis, seed=0)
problem = FitProblem(
    lattice=None,
    positions=supercell.positions @ supercell.lattice,
    species=supercell.species,
    group=SiteAction(np.eye(3)[None], np.arange(n)[None]),
    displacements=np.array(analysis.relation.distortion.displacements),
    strain=np.zeros((3, 3)),
)
errors = {}
for name in ("0e", "0o", "1e", "1o", "2e", "2o", "3o"):
    offered = FitProblem(**{**problem.__dict__, "inputs": (shared(Irrep.parse(name)),)})
    errors[name] = fit(offered, FitConfig(seed=0)).deviation.max
    print(f"input {name}: misses {errors[name]:.2e}{'   <- the floor' if errors[name] > 0.9 * floor.max else ''}")

# %%
chart = styled(go.Figure(), height=320)
chart.add_bar(x=list(errors), y=list(errors.values()))
chart.add_hline(y=floor.max, line_dash="dash", annotation_text="the symmetry floor")
chart.update_xaxes(title="input that all points share")
chart.update_yaxes(title="missed distance", type="log", exponentformat="power", range=[-16, 1])
chart

# %% [markdown]
# Only the second-rank even tensor gets below the floor: an ellipse, which has a long and a short axis. A vector will not do,
# since it distinguishes the two ends of an axis and a rectangle does not; nor will anything odd.
#
# One need not try. The **gradient** with respect to an input that is still zero already says it: it is an equivariant image
# of the wanted displacement, so it vanishes for all inputs that do not hold its irrep.

# %%
strongest = max(entry.norm for entry in found.gradient)
for entry in found.gradient:
    if entry.site == "all" and entry.norm > 1e-9 * strongest:
        print(f"a shared {entry.irrep} is asked for, as {entry.space_group_irrep}")
print(f"chosen by the rule: {found.carrier}, the fit misses {found.fit.deviation.max:.1e}")

# %% [markdown]
# ## And back?
#
# From the rectangle to the square: now the parent is the less symmetric one, and the target more. Nothing has to be broken
# (the square has all operations of the rectangle), so no order parameter is needed.

# %%
back = analyse_points(symmetrise_points(rectangle), square)
plain = discover(back, seed=0)
print("order parameters needed:", ", ".join(back.primaries.labels) if back.primaries else "none")
print(f"the fit misses {plain.fit.deviation.max:.1e}")

# %% [markdown]
# The results, as assertions: each failure is exactly the floor.

# %%
assert report_point_group(square) == "D4h"
assert report_point_group(rectangle) == "D2h"
assert all(abs(errors[name] - floor.max) < 1e-6 for name in errors if name != "2e")
assert errors["2e"] < 1e-8
assert found.carrier.name == "all:2e"
assert found.fit.deviation.max < 1e-8
assert back.primaries is None
assert plain.fit.deviation.max < 1e-8
