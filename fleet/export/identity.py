"""What AWS needs to launch and an allocation does not know: the launch template, the role, a name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fleet.errors import InputError

__all__ = ["LaunchIdentity", "identity_of"]

PLACEHOLDER_ROLE = "arn:aws:iam::000000000000:role/aws-ec2-spot-fleet-tagging-role"
PLACEHOLDER_TEMPLATE = "lt-00000000000000000"


@dataclass(frozen=True)
class LaunchIdentity:
    """The launch template and role that a written request names.

    Parameters
    ----------
    launch_template
        ID (``lt-...``) or name; ``None`` writes a placeholder, with a warning.
    version
        Number, ``$Latest`` or ``$Default``.
    iam_fleet_role
        ARN, for Spot Fleet requests; ``None`` writes a placeholder, with a warning.
    name
        What groups, node pools and resources are called.
    """

    launch_template: str | None = None
    version: str = "$Default"
    iam_fleet_role: str | None = None
    name: str = "spotfleet"

    @classmethod
    def parse(cls, launch_template: str | None, iam_fleet_role: str | None = None) -> LaunchIdentity:
        """Return the identity that ``lt-123``, ``name`` or ``name:7`` states.

        Raises
        ------
        InputError
            If a part is empty.
        """
        if launch_template is None:
            return cls(iam_fleet_role=iam_fleet_role)
        template, colon, version = launch_template.partition(":")
        if not template or (colon and not version):
            raise InputError(
                f"launch template {launch_template!r}",
                "is ID, NAME, ID:VERSION or NAME:VERSION",
                "correct it",
            )
        return cls(template, version or "$Default", iam_fleet_role)

    def over(self, other: LaunchIdentity) -> LaunchIdentity:
        """Return this identity, with what it leaves out taken from ``other``."""
        stated = self.launch_template is not None
        return LaunchIdentity(
            self.launch_template if stated else other.launch_template,
            self.version if stated else other.version,
            self.iam_fleet_role or other.iam_fleet_role,
            self.name,
        )

    def specification(self) -> dict[str, str]:
        """Return ``LaunchTemplateSpecification`` as the fleet APIs and Auto Scaling take it."""
        template = self.launch_template or PLACEHOLDER_TEMPLATE
        key = "LaunchTemplateId" if template.startswith("lt-") else "LaunchTemplateName"
        return {key: template, "Version": self.version}

    @property
    def role(self) -> str:
        """The ARN of the fleet role, or the placeholder."""
        return self.iam_fleet_role or PLACEHOLDER_ROLE

    def missing(self, *, role: bool) -> tuple[str, ...]:
        """Return a warning for each placeholder that is written."""
        found = []
        if self.launch_template is None:
            found.append(
                f"no launch template was stated: {PLACEHOLDER_TEMPLATE} is a placeholder, replace it"
            )
        if role and self.iam_fleet_role is None:
            found.append(f"no IamFleetRole was stated: {PLACEHOLDER_ROLE} is a placeholder, replace it")
        return tuple(found)


def identity_of(document: Mapping[str, Any]) -> LaunchIdentity:
    """Return the first launch template and the role that a parsed AWS request names."""
    found = LaunchIdentity()
    for part in objects_in(document):
        template = part.get("LaunchTemplateId") or part.get("LaunchTemplateName")
        if template and found.launch_template is None:
            found = LaunchIdentity(
                str(template), str(part.get("Version", "$Default")), found.iam_fleet_role, found.name
            )
        if part.get("IamFleetRole") and found.iam_fleet_role is None:
            found = LaunchIdentity(
                found.launch_template, found.version, str(part["IamFleetRole"]), found.name
            )
    return found


def objects_in(value: Any) -> Iterator[Mapping[str, Any]]:
    """Yield every JSON object in a document, outermost first."""
    if isinstance(value, Mapping):
        yield value
        for inner in value.values():
            yield from objects_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from objects_in(inner)
