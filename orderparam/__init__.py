"""orderparam: what breaks the symmetry of a crystal.

The main nouns and verbs can be imported from here. Each is loaded when it is first used, so that ``import orderparam``
costs nothing and the exact half never loads torch.

>>> from orderparam import analyse, read_crystal, symmetrise
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .crystals.crystal import Crystal, rename_species
    from .crystals.pointset import PointSet, read_points
    from .crystals.reading import read_crystal
    from .crystals.writing import crystal_to_cif
    from .discovery.analyse import Analysis, analyse
    from .discovery.comparison import compare_carriers
    from .discovery.discover import Discovery, discover, predicted_crystal
    from .discovery.floor import Floor, symmetry_floor
    from .discovery.naming import input_gradient
    from .discovery.pointrelation import analyse_points
    from .discovery.prediction import Predictor
    from .discovery.relate import Relation, relate
    from .discovery.states import States
    from .distortion import Distortion
    from .errors import OrderParamError
    from .invariants import LandauExpansion, find_couplings, fit_energies, invariant_polynomials, landau_expansion
    from .network.trained import TrainedNetwork
    from .o3 import Irrep
    from .parent import Parent, abstract_parent, symmetrise
    from .pointparent import symmetrise_points
    from .pseudosymmetry import Proposal, propose_parents
    from .records import fit_record, modes_record, to_json
    from .records.model import load_predictor
    from .spacegroup import SpaceGroup, report_symmetry
    from .subgroups import Domain, SubgroupGraph, find_domains, subgroup_graph
    from .subgroups.constraints import parse_constraints
    from .supercell import Supercell
    from .symmetry.constraints import Constraint
    from .symmetry.inverse import leads_to
    from .symmetry.orderparameter import Decomposition, OrderParameter, decompose
    from .symmetry.parentirreps import ParentIrrep, named_irrep, special_irreps
    from .symmetry.strata import Direction, find_directions
    from .symmetry.subspace import Subspace

__version__ = "0.1.0"

__all__ = [
    "Analysis",
    "Constraint",
    "Crystal",
    "Decomposition",
    "Direction",
    "Discovery",
    "Distortion",
    "Domain",
    "Floor",
    "Irrep",
    "LandauExpansion",
    "OrderParamError",
    "OrderParameter",
    "Parent",
    "ParentIrrep",
    "PointSet",
    "Predictor",
    "Proposal",
    "Relation",
    "SpaceGroup",
    "States",
    "SubgroupGraph",
    "Subspace",
    "Supercell",
    "TrainedNetwork",
    "abstract_parent",
    "analyse",
    "analyse_points",
    "compare_carriers",
    "crystal_to_cif",
    "decompose",
    "discover",
    "find_couplings",
    "find_directions",
    "find_domains",
    "fit_energies",
    "fit_record",
    "input_gradient",
    "invariant_polynomials",
    "landau_expansion",
    "leads_to",
    "load_predictor",
    "modes_record",
    "named_irrep",
    "parse_constraints",
    "predicted_crystal",
    "propose_parents",
    "read_crystal",
    "read_points",
    "relate",
    "rename_species",
    "report_symmetry",
    "special_irreps",
    "subgroup_graph",
    "symmetrise",
    "symmetrise_points",
    "symmetry_floor",
    "to_json",
]

_HOMES = {
    "Analysis": "discovery.analyse",
    "Constraint": "symmetry.constraints",
    "Crystal": "crystals.crystal",
    "Decomposition": "symmetry.orderparameter",
    "Direction": "symmetry.strata",
    "Discovery": "discovery.discover",
    "Distortion": "distortion",
    "Domain": "subgroups",
    "Floor": "discovery.floor",
    "Irrep": "o3",
    "LandauExpansion": "invariants",
    "OrderParamError": "errors",
    "OrderParameter": "symmetry.orderparameter",
    "Parent": "parent",
    "ParentIrrep": "symmetry.parentirreps",
    "PointSet": "crystals.pointset",
    "Predictor": "discovery.prediction",
    "Proposal": "pseudosymmetry",
    "Relation": "discovery.relate",
    "SpaceGroup": "spacegroup",
    "States": "discovery.states",
    "SubgroupGraph": "subgroups",
    "Subspace": "symmetry.subspace",
    "Supercell": "supercell",
    "TrainedNetwork": "network.trained",
    "abstract_parent": "parent",
    "analyse": "discovery.analyse",
    "analyse_points": "discovery.pointrelation",
    "compare_carriers": "discovery.comparison",
    "crystal_to_cif": "crystals.writing",
    "decompose": "symmetry.orderparameter",
    "discover": "discovery.discover",
    "find_couplings": "invariants",
    "find_directions": "symmetry.strata",
    "find_domains": "subgroups",
    "fit_energies": "invariants",
    "fit_record": "records",
    "input_gradient": "discovery.naming",
    "invariant_polynomials": "invariants",
    "landau_expansion": "invariants",
    "leads_to": "symmetry.inverse",
    "load_predictor": "records.model",
    "modes_record": "records",
    "named_irrep": "symmetry.parentirreps",
    "parse_constraints": "subgroups.constraints",
    "predicted_crystal": "discovery.discover",
    "propose_parents": "pseudosymmetry",
    "read_crystal": "crystals.reading",
    "read_points": "crystals.pointset",
    "relate": "discovery.relate",
    "rename_species": "crystals.crystal",
    "report_symmetry": "spacegroup",
    "special_irreps": "symmetry.parentirreps",
    "subgroup_graph": "subgroups",
    "symmetrise": "parent",
    "symmetrise_points": "pointparent",
    "symmetry_floor": "discovery.floor",
    "to_json": "records",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
