"""The record of carriers compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from orderparam.discovery.comparison import ComparedCarrier

from .files import VERSION

CARRIERS_SCHEMA = "orderparam/carriers"


def carriers_record(compared: Sequence[ComparedCarrier], primaries: Sequence[str]) -> dict[str, Any]:
    """Return the public record of carriers compared (schema ``orderparam/carriers``)."""
    return {
        "schema": CARRIERS_SCHEMA,
        "version": VERSION,
        "primaries": list(primaries),
        "carriers": [
            {
                "element": c.site_irrep.element,
                "site": c.site_irrep.site,
                "irrep": str(c.site_irrep.irrep),
                "holds": list(c.holds),
                "holds_primaries": c.holds_primaries,
                "share_held": c.share_held,
                "components_per_formula_unit": c.site_irrep.components_per_formula_unit,
                "tied": c.tied,
                "chosen": c.chosen,
                "isotropy_subgroup": dict(zip(("number", "symbol"), c.floor.group.space_group, strict=True)),
                "floor": {"max": c.floor.max, "rms": c.floor.rms, "strain": c.floor.strain_missed},
                "trials": None if c.trials is None else asdict(c.trials),
            }
            for c in compared
        ],
    }
