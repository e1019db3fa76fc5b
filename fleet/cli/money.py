"""``--billing``, ``--write-data-feed``, ``--events``: terms of a bill, and what happened in AWS's words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from fleet.cli.files import write_bytes
from fleet.errors import InputError
from fleet.io.decoding.json_document import read_object

if TYPE_CHECKING:
    from fleet.billing import Billing
    from fleet.replayer.result import ReplayResult

__all__ = ["FEED_ENDINGS", "billing_terms", "events_text", "terms_file", "write_feed"]

FEED_ENDINGS = (".gz",)
JSON = ".json"


def billing_terms(text: str) -> Billing:
    """Return the terms of a rule's name, or of a JSON file (see `fleet.Billing.from_dict`)."""
    from fleet.billing import Billing, billing_of

    if not text.endswith(JSON):
        return billing_of(text)
    return Billing.from_dict(dict(read_object(text, InputError)))


def terms_file(text: str) -> str | None:
    """Return the file that ``--billing`` names, or ``None`` where it names a rule."""
    return text if text.endswith(JSON) else None


def events_text(result: ReplayResult, path: Path) -> str:
    """Return the event log: a JSON object a line; for ``.json`` the document that EC2's history is."""
    if path.suffix != JSON:
        return "".join(f"{json.dumps(event)}\n" for event in result.events())
    from fleet.io import fleet_history, format_time

    span = format_time(result.start_s), format_time(result.end_s)
    document = fleet_history(result.events(), *span, ec2_fleet=result.request.api == "CreateFleet")
    return f"{json.dumps(document, indent=2)}\n"


def write_feed(result: ReplayResult, path: Path | None) -> None:
    """Write the Spot charges as AWS's Spot instance data feed, if it is wanted."""
    if path is not None:
        from fleet.io import data_feed_bytes

        write_bytes(path, data_feed_bytes(result.data_feed()))
