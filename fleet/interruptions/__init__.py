"""What interrupts Spot instances: drivers that can be combined, each a schedule read off the market.

Each driver answers one question, when the next interruption is due, by search in sorted arrays; nothing is
stepped through.
"""

from fleet.interruptions.capacity import CapacityDriver
from fleet.interruptions.choose import DRIVERS, drivers_for
from fleet.interruptions.price import PriceDriver
from fleet.interruptions.protocol import NEVER, Driver, value_in_force

__all__ = ["DRIVERS", "NEVER", "CapacityDriver", "Driver", "PriceDriver", "drivers_for", "value_in_force"]
