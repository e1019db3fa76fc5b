"""``--billing`` and ``--data-feed``: the terms of a bill, and its Spot charges as AWS reports them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from fleet.errors import InputError

if TYPE_CHECKING:
    from fleet.billing import Billing
    from fleet.results import ReplayResult

__all__ = ["FEED_ENDINGS", "billing_terms", "write_feed"]

FEED_ENDINGS = (".gz",)
TERMS_ENDING = ".json"


def billing_terms(text: str) -> Billing:
    """Return the terms of a rule's name, or of a JSON file (see `fleet.Billing.from_dict`)."""
    from fleet.billing import Billing, billing_of

    if not text.endswith(TERMS_ENDING):
        return billing_of(text)
    try:
        document = json.loads(Path(text).read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(
            f"--billing {text}", f"cannot be read ({error.strerror})", "correct the path"
        ) from None
    except ValueError:
        raise InputError(f"--billing {text}", "is JSON", "correct the file") from None
    if not isinstance(document, dict):
        raise InputError(f"--billing {text}", "is a JSON object", 'write {"rule": "per-second", ...}')
    return Billing.from_dict(document)


def write_feed(result: ReplayResult, path: Path | None) -> None:
    """Write the Spot charges as AWS's Spot instance data feed, if it is wanted."""
    if path is not None:
        from fleet.formats import write_data_feed

        write_data_feed(result.data_feed(), path)
