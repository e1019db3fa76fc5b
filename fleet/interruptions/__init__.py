"""What interrupts Spot instances: drivers that can be combined, each a schedule read off the market.

Each driver answers one question, when the next interruption is due, by search in sorted arrays; nothing is
stepped through.
"""

from fleet.interruptions.capacity import CapacityDriver
from fleet.interruptions.choose import DRIVERS, Interruptions, drivers_for
from fleet.interruptions.price import PriceDriver
from fleet.interruptions.protocol import (
    NEVER,
    AnyDriver,
    Blow,
    Driver,
    InstanceDriver,
    Standing,
    StressDriver,
    value_in_force,
)

__all__ = [
    "DRIVERS",
    "NEVER",
    "AnyDriver",
    "Blow",
    "CapacityDriver",
    "Driver",
    "InstanceDriver",
    "Interruptions",
    "PriceDriver",
    "Standing",
    "StressDriver",
    "drivers_for",
    "value_in_force",
]
