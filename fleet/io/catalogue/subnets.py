"""The zone of each subnet, from the answer of ``describe-subnets``."""

from __future__ import annotations

from pathlib import Path

import msgspec

from fleet.errors import InputError
from fleet.io.decoding.kinds import other_kind
from fleet.io.decoding.raw import files_below, read_json
from fleet.io.decoding.structs import decode

__all__ = ["read_subnets"]


class Subnet(msgspec.Struct):
    """One subnet of an account."""

    SubnetId: str
    AvailabilityZone: str


class Subnets(msgspec.Struct):
    """One answer of ``describe-subnets``."""

    Subnets: list[Subnet]


def read_subnets(path: str | Path) -> dict[str, str]:
    """Return the availability zone of each subnet in a ``describe-subnets`` answer, or a folder of them.

    Parameters
    ----------
    path
        What ``aws ec2 describe-subnets --output json`` printed.

    Returns
    -------
    dict[str, str]
        Zone names by subnet ID.

    Raises
    ------
    InputError
        If a file is no such answer, lists no subnet, or two of them place one subnet differently.
    """
    found: dict[str, str] = {}
    for file in files_below(path, InputError, "*.json*"):
        for document in read_json(file):
            if not (isinstance(document, dict) and "Subnets" in document):
                raise other_kind(document, str(file), "a describe-subnets answer")
            for subnet in decode(document, Subnets, str(file)).Subnets:
                zone = found.setdefault(subnet.SubnetId, subnet.AvailabilityZone)
                if zone != subnet.AvailabilityZone:
                    raise InputError(
                        f"{file}: subnet {subnet.SubnetId} in {zone} and in {subnet.AvailabilityZone}",
                        "must lie in one zone",
                        "keep one account's answers",
                    )
    if not found:
        raise InputError(f"{path} without subnets", "must be a describe-subnets answer that lists some")
    return found
