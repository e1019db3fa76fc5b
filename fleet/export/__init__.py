"""A plan in the words of what deploys it. A new form is a module here and one line in ``FORMS``."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fleet.allocator.result import Allocation
from fleet.errors import InputError
from fleet.export.aws import auto_scaling_group, create_fleet, spot_fleet
from fleet.export.deployment import Deployment, Writer, deploy
from fleet.export.focus import focus_csv, focus_rows
from fleet.export.identity import LaunchIdentity, identity_of
from fleet.export.tables import plan_csv
from fleet.export.unsaid import unsaid

__all__ = [
    "FORMS",
    "Deployment",
    "LaunchIdentity",
    "WrittenPlan",
    "deploy",
    "export_plan",
    "focus_csv",
    "focus_rows",
    "identity_of",
]


@dataclass(frozen=True)
class WrittenPlan:
    """A plan as text, and what its form cannot say."""

    form: str
    text: str
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Extras:
    """What only some forms use (see `export_plan`)."""

    vcpus: Mapping[str, float] | None = None
    hcl: bool = False
    every_pool: bool = False


Form = Callable[[Allocation, LaunchIdentity, Extras], tuple[str, tuple[str, ...]]]


def aws_json(write: Writer, *, role: bool = False) -> Form:
    """Return the form that is AWS JSON: one document, or a list of them."""

    def form(allocation: Allocation, identity: LaunchIdentity, extras: Extras) -> tuple[str, tuple[str, ...]]:
        made = deploy(allocation, identity, write, every_pool=extras.every_pool)
        document = made.documents[0] if len(made.documents) == 1 else list(made.documents)
        return json.dumps(document, indent=2) + "\n", (*made.warnings, *identity.missing(role=role))

    return form


def terraform(write: Writer, kind: str) -> Form:
    """Return the form that is Terraform made from AWS JSON."""

    def form(allocation: Allocation, identity: LaunchIdentity, extras: Extras) -> tuple[str, tuple[str, ...]]:
        from fleet.export.terraform import terraform_fleets, terraform_groups

        made = deploy(allocation, identity, write, every_pool=extras.every_pool)
        turn = terraform_groups if kind == "group" else terraform_fleets
        text = turn(made.documents, identity.name, hcl=extras.hcl)
        return text, (*made.warnings, *identity.missing(role=False))

    return form


def karpenter_form(
    allocation: Allocation, identity: LaunchIdentity, extras: Extras
) -> tuple[str, tuple[str, ...]]:
    """Karpenter's objects."""
    from fleet.export.karpenter import karpenter

    return karpenter(allocation, identity.name, extras.vcpus)


def skypilot_form(
    allocation: Allocation, identity: LaunchIdentity, extras: Extras
) -> tuple[str, tuple[str, ...]]:
    """SkyPilot's task."""
    from fleet.export.skypilot import skypilot

    del extras
    return skypilot(allocation, identity.name)


def csv_form(allocation: Allocation, identity: LaunchIdentity, extras: Extras) -> tuple[str, tuple[str, ...]]:
    """One row a pool."""
    del identity, extras
    return plan_csv(allocation), ()


FORMS: dict[str, Form] = {
    "spot-fleet": aws_json(spot_fleet, role=True),
    "create-fleet": aws_json(create_fleet),
    "auto-scaling-group": aws_json(auto_scaling_group),
    "terraform-fleet": terraform(create_fleet, "fleet"),
    "terraform-asg": terraform(auto_scaling_group, "group"),
    "karpenter": karpenter_form,
    "skypilot": skypilot_form,
    "csv": csv_form,
}


def export_plan(
    allocation: Allocation,
    form: str,
    *,
    identity: LaunchIdentity | None = None,
    vcpus: Mapping[str, float] | None = None,
    hcl: bool = False,
    every_pool: bool = False,
) -> WrittenPlan:
    """Write an allocation in a form that deploys it.

    Parameters
    ----------
    form
        A name in ``FORMS``: ``spot-fleet``, ``create-fleet``, ``auto-scaling-group``, ``terraform-fleet``,
        ``terraform-asg``, ``karpenter``, ``skypilot`` or ``csv``.
    identity
        The launch template and role that AWS needs; placeholders (with a warning) where not stated.
    vcpus
        vCPU of each instance type, for Karpenter's limits.
    hcl
        Write Terraform as HCL (``.tf``), not in its JSON syntax (``.tf.json``).
    every_pool
        In AWS's forms and Terraform's, write every pool of the request, not those of the plan alone, where
        AWS's rule gives the plan then too: a maintained fleet can replace what it loses in all of them.

    Raises
    ------
    InputError
        If the form is unknown, or has no words even for the plan's single pools.
    """
    if form not in FORMS:
        raise InputError(f"form {form!r}", f"is one of {', '.join(FORMS)}", "correct it")
    stated = identity or LaunchIdentity()
    text, warnings = FORMS[form](allocation, stated, Extras(vcpus, hcl, every_pool))
    return WrittenPlan(form, text, (*unsaid(form, allocation.request, stated), *warnings))
