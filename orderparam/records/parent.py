"""The record of proposed parents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from orderparam.crystals.crystal import Crystal
from orderparam.discovery.analyse import Analysis
from orderparam.pseudosymmetry import ParentSearch, Proposal
from orderparam.spacegroup import SymmetryReport

from .files import VERSION
from .modes import modes_record

PARENT_SCHEMA = "orderparam/parent"


def parent_record(
    child: Crystal,
    report: SymmetryReport,
    search: ParentSearch,
    files: Sequence[str | None] = (),
    modes: Analysis | None = None,
) -> dict[str, Any]:
    """Return the public record of proposed parents (schema ``orderparam/parent``), best first.

    Parameters
    ----------
    files : sequence of str or None
        Where each proposal was written to.
    modes : Analysis, optional
        Of the child as a distortion of the first.
    """
    proposals = search.proposals
    places = [*files, *[None] * (len(proposals) - len(files))]
    record: dict[str, Any] = {
        "schema": PARENT_SCHEMA,
        "version": VERSION,
        "child": {
            "file": child.name,
            "formula": child.formula,
            "n_atoms": child.n_sites,
            "space_group": {"number": report.number, "symbol": report.symbol},
            "symprec": report.symprec,
        },
        "search": _search(search),
        "proposals": [_proposal(proposal, place) for proposal, place in zip(proposals, places, strict=True)],
        "warnings": list(child.notes),
    }
    if modes is not None:
        record["modes"] = modes_record(modes)
    return record


def _search(search: ParentSearch) -> dict[str, Any]:
    beyond = search.beyond
    return {
        "max_displacement": search.limits.max_displacement,
        "max_strain": search.limits.max_strain,
        "reach": search.reach,
        "complete": search.complete,
        "beyond": None
        if beyond is None
        else {
            "index": beyond.index,
            "max": beyond.max_displacement,
            "strain_max": max(abs(float(strain)) for strain in beyond.strains),
        },
    }


def _proposal(proposal: Proposal, place: str | None) -> dict[str, Any]:
    return {
        "space_group": {"number": proposal.group.number, "symbol": proposal.group.symbol},
        "n_atoms_primitive": proposal.parent.crystal.n_sites,
        "index": proposal.index,
        "rms": proposal.rms,
        "max": proposal.max_displacement,
        "strain_rms": proposal.rms_strain,
        "score": proposal.score,
        "weak": proposal.is_weak,
        "far": proposal.is_far,
        "within_noise": proposal.is_noise,
        "file": place,
    }
