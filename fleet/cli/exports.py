"""``allocate --export FORM=FILE``: the plan in the words of what deploys it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from fleet.cli.files import check_output, write_text
from fleet.errors import InputError

if TYPE_CHECKING:
    from fleet.allocator.result import Allocation
    from fleet.export import LaunchIdentity

__all__ = ["export_files", "identity_for", "write_exports"]


def export_files(pairs: Sequence[str]) -> dict[Path, str]:
    """Return the form that each file gets, checked before any work is done."""
    found: dict[Path, str] = {}
    for pair in pairs:
        from fleet.export import FORMS

        form, _, name = pair.partition("=")
        if form not in FORMS or not name:
            raise InputError(f"--export {pair!r}", f"is FORM=FILE; forms: {', '.join(FORMS)}", "correct it")
        check_output(Path(name))
        if Path(name) in found:
            raise InputError(f"--export {pair!r}", "names a file twice", "choose another file")
        found[Path(name)] = form
    return found


def identity_for(
    request: str, launch_template: str | None, iam_fleet_role: str | None, subnet_zones: Mapping[str, str]
) -> LaunchIdentity:
    """Return what the options state, completed by what the request's own file names."""
    from fleet.export import LaunchIdentity, identity_of
    from fleet.io.decoding.raw import read_json

    if request == "-":
        stated = LaunchIdentity.parse(launch_template, iam_fleet_role, subnet_zones)
        read_once = (
            "from standard input only pools and rules are read: tags, Context, health and role are not"
        )
        return replace(stated, left_out=(read_once,))
    document = read_json(request)[0]
    text = json.dumps(document)  # a list of all subnets of an account says more than the request uses
    used = {subnet: zone for subnet, zone in subnet_zones.items() if subnet in text}
    stated = LaunchIdentity.parse(launch_template, iam_fleet_role, used or subnet_zones)
    return stated.over(identity_of(document))


def write_exports(
    allocation: Allocation,
    files: dict[Path, str],
    identity: LaunchIdentity | None,
    instance_types: Path | None,
    every_pool: bool = False,
) -> list[str]:
    """Write each file and return the warnings: what a form cannot say."""
    from fleet.export import export_plan

    vcpus: dict[str, float] = {}
    if files and instance_types is not None:
        from fleet.io import read_instance_types

        vcpus = {name: kind.vcpu for name, kind in read_instance_types(instance_types).types.items()}
    plans = {
        path: export_plan(
            allocation,
            form,
            identity=identity,
            vcpus=vcpus,
            hcl=path.suffix == ".tf",
            every_pool=every_pool,
        )
        for path, form in files.items()
    }
    for path, plan in plans.items():
        write_text(path, plan.text)
    return [f"{path}: {warning}" for path, plan in plans.items() for warning in plan.warnings]
