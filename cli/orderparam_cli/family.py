"""`orderparam fit` with several children: one network, from order parameters to structures."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import options
from .terminal import print_report, print_warnings, progress, write_json

if TYPE_CHECKING:
    from orderparam.discovery.family import Family
    from orderparam.discovery.pair import PairSettings


@dataclass(frozen=True)
class FamilyOptions:
    """What to do with several children."""

    parent: str
    children: tuple[str, ...]
    seed: int
    carrier: str | None
    irreps: tuple[str, ...] | None
    ridge: float
    same_volume: bool
    leave_one_out: bool
    reading: PairSettings

    def record(self) -> dict[str, Any]:
        """Return what was asked for, as result files hold it."""
        own = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "reading"}
        return {**own, **self.reading.record()}

    def gather(self) -> tuple[Family, list[str], dict[str, str]]:
        """Read all files and gather the family; return it with all warnings, and the files by name."""
        from orderparam.discovery.children import analyse_children
        from orderparam.discovery.family import gather_family
        from orderparam.discovery.pair import read_family
        from orderparam.parent import symmetrise

        files = _names(self.children)
        parent, crystals = read_family(self.parent, files, self.reading)
        frame = symmetrise(parent, self.reading.symprec, origin=self.reading.origin)
        analyses = analyse_children(
            frame,
            crystals,
            same_volume=self.same_volume,
            symprec=self.reading.symprec_child,
            max_strain=self.reading.max_strain,
            max_displacement=self.reading.max_displacement,
            noise=self.reading.noise,
        )
        family = gather_family(
            {name: analysis.decomposition for name, analysis in analyses.items()},
            irreps=self.irreps,
            carrier=self.carrier,
        )
        notes = list(frame.warnings)
        for name, analysis in analyses.items():
            notes += [f"{name}: {note}" for note in analysis.warnings if note not in frame.warnings]
        return family, [*notes, *family.warnings], files


def fit_many(wanted: FamilyOptions, *, out: str | None, force: bool, json: str | None, quiet: bool) -> None:
    """Fit, write the folder, and print the tables."""
    from orderparam.records import family_record
    from orderparam.report.family import check_family_folder, family_report, write_family_folder

    options.check_targets([json], [wanted.parent, *wanted.children])
    folder = Path(out) if out else Path("runs") / f"{Path(wanted.parent).stem}_family"
    check_family_folder(folder, force=force)
    with progress("finding the order parameters ...") as show:
        family, notes, files = wanted.gather()
        show("loading the network ...")
        from orderparam.discovery.familyfit import fit_family

        result = fit_family(
            family,
            seed=wanted.seed,
            ridge=wanted.ridge,
            leave_one_out=wanted.leave_one_out and len(family.members) > 1,
            on_step=lambda stage, step, norm: show(f"{stage}: step {step}, residual {norm:.1e} angstrom"),
        )
        record = family_record(result, files=files, command=wanted.record())
        write_family_folder(result, record, folder, force=force)
    if json:
        write_json(record, json)
    if not quiet and json != "-":
        print_report(family_report(result, folder))
    print_warnings(notes)
    if result.fit.trouble:
        print_warnings([f"the fit broke off: {result.fit.trouble}; the last good state is kept"])
    if not result.fit.converged and not wanted.ridge:
        worst = max(result.children, key=lambda child: child.residual_max)
        print_warnings(
            [
                f"the fit did not meet all children: an atom of {worst.name} is {worst.residual_max:.1e} angstrom off; "
                "children that are no function of these order parameters (other compounds) need --ridge 1e-4"
            ]
        )


def _names(files: tuple[str, ...]) -> dict[str, str]:
    """Return a name for every file: its stem, with a number where that is taken."""
    from orderparam.errors import InvalidInputError

    found: dict[str, str] = {}
    for file in files:
        if any(Path(file).resolve() == Path(known).resolve() for known in found.values()):
            raise InvalidInputError(f"{file}: this child is given twice")
        stem, number = Path(file).stem, 2
        name = stem
        while name in found:
            name, number = f"{stem}_{number}", number + 1
        found[name] = file
    return found
