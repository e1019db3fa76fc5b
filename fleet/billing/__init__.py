"""Bills: the terms, what each start of an instance is charged, commitments, and AWS's data feed of it."""

from fleet.billing.charges import Pieces, Usage, bill, bill_usage, charge_pieces
from fleet.billing.commitments import Commitment, Convertible, Reserved, SavingsPlan, Settlement, settle
from fleet.billing.feed import data_feed
from fleet.billing.statement import Statement, statement_of, stopped_pieces
from fleet.billing.terms import BILLING_RULES, Billing, Dated, StoppedStorage, billing_of

__all__ = [
    "BILLING_RULES",
    "Billing",
    "Commitment",
    "Convertible",
    "Dated",
    "Pieces",
    "Reserved",
    "SavingsPlan",
    "Settlement",
    "Statement",
    "StoppedStorage",
    "Usage",
    "bill",
    "bill_usage",
    "billing_of",
    "charge_pieces",
    "data_feed",
    "settle",
    "statement_of",
    "stopped_pieces",
]
