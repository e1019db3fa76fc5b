"""Hindsight: the least that anybody could have paid for a service on a market, and a plan that pays it."""

from fleet.hindsight.offers import undefined
from fleet.hindsight.optimum import Clairvoyant, Hindsight
from fleet.hindsight.program import LONGEST_S
from fleet.hindsight.service import ServedUnits
from fleet.hindsight.stays import ScheduledInstances

__all__ = ["LONGEST_S", "Clairvoyant", "Hindsight", "ScheduledInstances", "ServedUnits", "undefined"]
