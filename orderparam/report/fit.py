"""The report of a fit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from orderparam.symmetry.orderparameter import ZERO_AMPLITUDE
from orderparam.wording import counted

from .folder import run_files
from .layout import bold_heading, named_values, plain_table
from .summary import _group_text, group_name, modes_report

if TYPE_CHECKING:
    from orderparam.discovery.constrained import Constrained
    from orderparam.discovery.discover import Discovery
    from orderparam.discovery.floor import Floor

SHOWN_GRADIENTS = 10
SHOWN_CARRIERS = 6


def fit_report(discovery: Discovery, folder: Path) -> RenderableType:
    """Return everything about a fit, the exact decomposition first."""
    parts: list[RenderableType] = [modes_report(discovery.analysis), inputs_text(discovery)]
    if discovery.carriers:
        parts.append(carriers_table(discovery))
    parts.append(gradient_table(discovery))
    if discovery.analysis.relation.parent.finite:
        from .points import shared_inputs_table

        parts.append(shared_inputs_table(discovery.analysis))
    parts += _network(discovery)
    if discovery.constrained is not None:
        parts += constraint_text(discovery, discovery.constrained)
    elif discovery.bound is not None:
        parts += floor_text(discovery)
    if discovery.learned:
        parts.append(learned_table(discovery))
    if discovery.necessity:
        parts.append(necessity_table(discovery))
    files = run_files(finite=discovery.analysis.relation.parent.finite)
    parts += [bold_heading(f"Files in {folder}"), named_values(files.items())]
    return Group(*parts)


def inputs_text(discovery: Discovery) -> RenderableType:
    """Return what the network was given."""
    rows = [
        (block.name, f"{_nature(str(block.irrep))}, {block.n_free} free number{'s' if block.n_free > 1 else ''}")
        for block in discovery.blocks
    ]
    if discovery.bound is discovery.floor:
        reason = "no order parameter, as asked for: a uniform scalar, which breaks nothing"
    elif discovery.carrier is None:
        reason = "no symmetry is broken: a uniform scalar, felt by every atom, carries the change"
    else:
        names = " + ".join(m.label for m in discovery.primaries)
        reason = f"the cheapest site irrep that holds {names}"
        if discovery.carriers and discovery.carrier.name != discovery.carriers[0].name:
            reason = f"as asked for; it holds {names}"
    return Group(bold_heading("What the network may learn"), named_values([*rows, ("why", reason)]), Text())


def _nature(irrep: str) -> str:
    """Say what an irrep of O(3) is in words."""
    names = {"0e": "scalar", "0o": "pseudoscalar", "1o": "vector", "1e": "pseudovector", "2e": "symmetric tensor"}
    return names.get(irrep, f"l = {irrep[0]}, {'even' if irrep[-1] == 'e' else 'odd'} parity")


def carriers_table(discovery: Discovery) -> RenderableType:
    """Return the possible carriers, the chosen one marked."""
    chosen = discovery.carrier.name if discovery.carrier else ""
    known = {c.name for c in discovery.carriers}
    listed = [*discovery.carriers[:SHOWN_CARRIERS]]
    if discovery.carrier and chosen not in known:
        listed.insert(0, discovery.carrier)
    rows = [
        (
            "*" if c.name == chosen else "tied" if c.tied else "",
            c.name,
            c.components_per_formula_unit,
            f"{100 * c.share_held:.1f} %",
        )
        for c in listed
    ]
    more = len(discovery.carriers) - SHOWN_CARRIERS
    title = "Carriers that hold the primary order parameters"
    title += " (* chosen)" if chosen else ": the inputs that would lift the floor"
    title += f", {more} more" if more > 0 else ""
    return plain_table(title, ("", "carrier", "numbers per formula unit", "holds of |u|^2"), rows, right=(2, 3))


def gradient_table(discovery: Discovery) -> RenderableType:
    """Return the largest entries of the gradient at zero input."""
    pulling = [g for g in discovery.gradient if g.norm > 0]
    rows = [(g.site, g.irrep, g.space_group_irrep, f"{g.norm:.2e}") for g in pulling[:SHOWN_GRADIENTS]]
    table = plain_table("Gradient of the loss at zero input", ("site", "irrep", "in", "norm"), rows, right=(3,))
    n_zero = len(discovery.gradient) - len(pulling)
    line = (
        f"  {len(pulling)} of {len(discovery.gradient)} blocks pull. The other {n_zero} are exactly zero, by Curie's "
        "principle: an input can only be asked for by an irrep that the distortion has."
    )
    return Group(table, Text(line), Text())


def _network(discovery: Discovery) -> list[RenderableType]:
    """Return the architecture, and how well it reproduces the child."""
    result, choice = discovery.fit, discovery.fit.choice
    architecture = choice.architecture
    tried = len(choice.rungs)
    missing = ", ".join(discovery.unreachable)
    rows = [
        (
            "network",
            f"lmax {architecture.lmax}, {architecture.layers} layers, cutoff {result.network.radial.cutoff:.2f} "
            f"angstrom ({tried} size{'s' if tried > 1 else ''} tried)",
        ),
        (
            "out of its reach",
            (f"{missing} from the primaries alone; given as inputs: {', '.join(discovery.helpers) or 'none'}")
            if missing
            else "nothing",
        ),
        ("converged", f"{'yes' if result.converged else 'NO'}, {counted(result.iterations, 'step')}, "
         f"{counted(result.restarts, 'restart')}"),
        ("residual", f"largest {result.deviation.max:.1e}, rms {result.deviation.rms:.1e}, mean absolute "
                     f"{result.deviation.mean_abs:.1e} angstrom; strain {result.deviation.strain:.1e}"),
        ("prediction", f"{group_name(discovery.analysis.relation.parent, discovery.predicted_group)} at symprec 1e-4"),
    ]  # fmt: skip
    noise = discovery.analysis.noise
    if noise is not None and discovery.off_noisy_child is not None:
        off = f"prediction off the noisy child by {discovery.off_noisy_child:.4f} angstrom (rms per coordinate)"
        text = (
            f"{off}; off the noise-free one by {noise.expected_error:.4f} to expect, where the noisy child is off by "
            f"{noise.sigma:.4f}: {noise.n_free} of {counted(noise.n_free + noise.n_left, 'coordinate')} are fitted"
        )
        rows.append(("noise", text if noise.determined else f"{off}; the data cannot tell how noisy it is"))
    return [bold_heading("Fit"), named_values(rows), Text()]


def learned_table(discovery: Discovery) -> RenderableType:
    """Return the names of what the network learned."""
    rows = [
        (found.input, found.label, found.direction,
         group_name(discovery.analysis.relation.parent, found.isotropy_subgroup), f"{100 * found.share_of_input:.1f} %")
        for found in discovery.learned
    ]  # fmt: skip
    columns = ("input", "irrep", "direction", "isotropy", "share of the field")
    return plain_table("The learned order parameter", columns, rows, right=(4,))


def necessity_table(discovery: Discovery) -> RenderableType:
    """Return what happens without each primary order parameter."""
    strained = any(n.strain_floor > ZERO_AMPLITUDE for n in discovery.necessity)
    rows = [
        (n.without, f"{n.residual_max:.4f}", f"{n.exact_floor_max:.4f}")
        + ((f"{n.strain_residual:.4f}", f"{n.strain_floor:.4f}") if strained else ())
        for n in discovery.necessity
    ]
    columns = ("without", "network misses", "exact floor", *(("strain missed", "its floor") if strained else ()))
    return plain_table("Is each one necessary? (largest error, angstrom)", columns, rows, right=range(1, len(columns)))


def floor_text(discovery: Discovery) -> list[RenderableType]:
    """Return what no function without an order parameter can reach, and what the network without one did."""
    floor = discovery.floor
    missed = discovery.fit.deviation
    rows = [
        ("inputs keep", f"{_group_text(floor.group)}, the parent's group; so does every output"),
        ("exact floor", f"largest {floor.max:.4f}, rms {floor.rms:.4f} angstrom; strain {floor.strain_missed:.4f}"),
        ("network misses", f"largest {missed.max:.4f}, rms {missed.rms:.4f} angstrom; strain {missed.strain:.4f}"),
        ("from the best", f"{discovery.exact_difference:.1e} angstrom"),
    ]  # fmt: skip
    return [
        bold_heading("The symmetry floor (Curie's principle)"),
        named_values(rows),
        Text(),
        given_up_table(floor, discovery),
    ]


def given_up_table(floor: Floor, discovery: Discovery) -> RenderableType:
    """Return per irrep what of the target is out of reach."""
    decomposition = discovery.analysis.decomposition
    rows = [
        (o.label, f"{o.amplitude_supercell:.4f}", f"{floor.missed.get(o.label, 0.0):.4f}")
        for o in decomposition.displacive
        if not o.is_zero
    ]
    rows += [
        (f"{o.label} (strain)", f"{o.amplitude:.5f}", f"{floor.strain_parts.get(o.label, 0.0):.5f}")
        for o in decomposition.strain
        if not o.is_zero
    ]
    return plain_table("What is given up (As, angstrom)", ("irrep", "target", "given up"), rows, right=(1, 2))


def constraint_text(discovery: Discovery, found: Constrained) -> list[RenderableType]:
    """Return what a constraint left, and how the network compares with the exact projection."""
    number, symbol = found.group.space_group
    predicted, name = discovery.predicted_group
    left = [f"{space.site_irrep.name}: {', '.join(space.stabilisers)} ({space.n_free} free)" for space in found.spaces]
    rows = [
        ("inputs left", "; ".join(left)),
        ("all of them keep", f"{symbol} ({number})"),
        ("network gives", f"{name} ({predicted}) at symprec 1e-4"),
        ("exact projection", f"differs by at most {discovery.exact_difference:.1e} angstrom"),
        *(("note", note) for note in found.notes),
    ]
    if found.free is not None:
        rows.append(("free field", _free_text(found)))
    table = given_up_table(found.floor, discovery)
    return [bold_heading(f"Constraint {found.constraint.spec}"), named_values(rows), Text(), table]


def _free_text(found: Constrained) -> str:
    """Say what the same constraint does to a field that may be anything, and why."""
    free = found.free
    if free is None:
        return ""
    number, symbol = free.group.space_group
    labels = ", ".join(m.label for m in found.members)
    if (free.group.elements == found.group.elements).all():
        return f"any {free.name} field under this constraint keeps {symbol} ({number}), too"
    return (
        f"any {free.name} field under this constraint keeps only {symbol} ({number}): such a field also holds "
        f"{', '.join(free.stepping_in)}, which the constraint allows and which breaks more than {labels} alone "
        "(--free-field shows it)"
    )
