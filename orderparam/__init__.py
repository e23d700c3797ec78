"""orderparam: what breaks the symmetry of a crystal.

The main nouns and verbs can be imported from here. Each is loaded when it is first used, so that ``import orderparam``
costs nothing and the exact half never loads torch.

>>> from orderparam import analyse, read_crystal, symmetrise
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .crystal import Crystal, crystal_to_cif, read_crystal, rename_species
    from .discovery.analyse import Analysis, analyse
    from .discovery.comparison import compare_carriers
    from .discovery.discover import Discovery, discover, predicted_crystal
    from .discovery.floor import Floor, symmetry_floor
    from .discovery.naming import input_gradient
    from .discovery.relate import Relation, relate
    from .distortion import Distortion
    from .errors import OrderParamError
    from .network.trained import TrainedNetwork
    from .o3 import Irrep
    from .parent import Parent, symmetrise
    from .pseudosymmetry import Proposal, propose_parents
    from .records import fit_record, modes_record, to_json
    from .spacegroup import SpaceGroup, report_symmetry
    from .subgroups.constraints import parse_constraints
    from .supercell import Supercell
    from .symmetry.constraints import Constraint
    from .symmetry.orderparameter import Decomposition, OrderParameter, decompose
    from .symmetry.subspace import Subspace

__version__ = "0.1.0"

__all__ = [
    "Analysis",
    "Constraint",
    "Crystal",
    "Decomposition",
    "Discovery",
    "Distortion",
    "Floor",
    "Irrep",
    "OrderParamError",
    "OrderParameter",
    "Parent",
    "Proposal",
    "Relation",
    "SpaceGroup",
    "Subspace",
    "Supercell",
    "TrainedNetwork",
    "analyse",
    "compare_carriers",
    "crystal_to_cif",
    "decompose",
    "discover",
    "fit_record",
    "input_gradient",
    "modes_record",
    "parse_constraints",
    "predicted_crystal",
    "propose_parents",
    "read_crystal",
    "relate",
    "rename_species",
    "report_symmetry",
    "symmetrise",
    "symmetry_floor",
    "to_json",
]

_HOMES = {
    "Analysis": "discovery.analyse",
    "Constraint": "symmetry.constraints",
    "Crystal": "crystal",
    "Decomposition": "symmetry.orderparameter",
    "Discovery": "discovery.discover",
    "Distortion": "distortion",
    "Floor": "discovery.floor",
    "Irrep": "o3",
    "OrderParamError": "errors",
    "OrderParameter": "symmetry.orderparameter",
    "Parent": "parent",
    "Proposal": "pseudosymmetry",
    "Relation": "discovery.relate",
    "SpaceGroup": "spacegroup",
    "Subspace": "symmetry.subspace",
    "Supercell": "supercell",
    "TrainedNetwork": "network.trained",
    "analyse": "discovery.analyse",
    "compare_carriers": "discovery.comparison",
    "crystal_to_cif": "crystal",
    "decompose": "symmetry.orderparameter",
    "discover": "discovery.discover",
    "fit_record": "records",
    "input_gradient": "discovery.naming",
    "modes_record": "records",
    "parse_constraints": "subgroups.constraints",
    "predicted_crystal": "discovery.discover",
    "propose_parents": "pseudosymmetry",
    "read_crystal": "crystal",
    "relate": "discovery.relate",
    "rename_species": "crystal",
    "report_symmetry": "spacegroup",
    "symmetrise": "parent",
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
