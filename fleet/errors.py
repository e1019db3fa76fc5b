"""The one tree of failures: every error says the wrong value, the rule and the remedy.

``InputError`` and its children mean that what was handed in is wrong (exit status 2 of the command
line); ``InfeasibleError`` means that the question is sound and has no answer, ``OutOfTimeError`` that
none was found in time (exit status 1); the others mean that something of ours, or a solver, failed.
"""

from __future__ import annotations

__all__ = [
    "CapacityDataError",
    "CatalogueError",
    "CheckError",
    "FleetError",
    "InfeasibleError",
    "InputError",
    "OutOfTimeError",
    "PriceDataError",
    "RequestError",
    "SolverError",
    "UnknownStrategyError",
]


class FleetError(Exception):
    """Anything that spotfleet raises on purpose.

    Parameters
    ----------
    wrong
        The wrong value, quoted, and where it stands.
    rule
        The rule that it breaks.
    remedy
        What to do about it.
    """

    def __init__(self, wrong: str, rule: str = "", remedy: str = "") -> None:
        self.wrong = wrong
        self.rule = rule
        self.remedy = remedy
        message = f"{wrong}: {rule}" if rule else wrong
        super().__init__(f"{message}; {remedy}" if remedy else message)

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (self.wrong, self.rule, self.remedy), self.__dict__)


class InputError(FleetError, ValueError):
    """What was handed in cannot be used as it is."""


class RequestError(InputError):
    """A fleet request that breaks a rule of the API that it is written for.

    Attributes
    ----------
    code : str
        The error code with which EC2 answers such a request, as far as it is known.
    """

    code = "InvalidSpotFleetRequestConfig"

    def with_code(self, code: str) -> RequestError:
        """Return this error under another of EC2's codes."""
        self.code = code
        return self


class PriceDataError(InputError):
    """Price history that cannot be read, or that lacks what the question needs."""


class CatalogueError(InputError):
    """A catalogue or on-demand price list that cannot be read."""


class CapacityDataError(InputError):
    """Capacity or availability data that cannot be read or placed in time."""


class UnknownStrategyError(InputError, LookupError):
    """A strategy name that no installed package offers."""


class InfeasibleError(FleetError, RuntimeError):
    """No allocation meets every limit; the message names those that bind."""


class SolverError(FleetError, RuntimeError):
    """A solver failed, stopped early without an answer, or is not installed."""


class OutOfTimeError(SolverError):
    """The time limit ended the search before there was any answer (exit status 1)."""


class CheckError(FleetError, AssertionError):
    """An answer did not survive the independent check: a defect of ours or of a solver."""
