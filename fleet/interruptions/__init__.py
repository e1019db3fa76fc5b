"""What interrupts Spot instances: drivers that can be combined, each named in the result.

``price`` and ``capacity`` are read off the market; hazards and shocks are drawn for each instance at its
launch; stresses strike at stated moments. The next interruption is found by search in sorted arrays or is
known from the launch on; nothing is stepped through.
"""

from fleet.interruptions.calibration import Calibration, calibration
from fleet.interruptions.capacity import CapacityDriver
from fleet.interruptions.drivers import DRIVERS, Interruptions, default_names, drivers_for, with_spikes
from fleet.interruptions.fitting import (
    FITS,
    fit_bathtub,
    fit_empirical,
    fit_exponential,
    fit_weibull,
    log_likelihood,
)
from fleet.interruptions.hazard import Hazard, HazardDriver
from fleet.interruptions.launch_failures import LaunchFailureDriver, LaunchFailures
from fleet.interruptions.lifetime_distributions import (
    Bathtub,
    Empirical,
    Exponential,
    LifetimeLaw,
    Weibull,
    mean_residual_h,
    residual_h,
)
from fleet.interruptions.lifetimes import (
    Lifetimes,
    lifetimes_of_capacity,
    lifetimes_of_instances,
    lifetimes_of_log,
)
from fleet.interruptions.parsing import parse_failures, parse_law, parse_shocks, parse_stress
from fleet.interruptions.price import PriceDriver
from fleet.interruptions.protocol import (
    NEVER,
    AnyDriver,
    Cause,
    Driver,
    FleetStatus,
    InstanceDriver,
    LaunchDriver,
    StressDriver,
    StressImpact,
    value_in_force,
)
from fleet.interruptions.shocks import ShockDriver, Shocks
from fleet.interruptions.stress import MassLoss, Outage, PriceSpike

__all__ = [
    "DRIVERS",
    "FITS",
    "NEVER",
    "AnyDriver",
    "Bathtub",
    "Calibration",
    "CapacityDriver",
    "Cause",
    "Driver",
    "Empirical",
    "Exponential",
    "FleetStatus",
    "Hazard",
    "HazardDriver",
    "InstanceDriver",
    "Interruptions",
    "LaunchDriver",
    "LaunchFailureDriver",
    "LaunchFailures",
    "LifetimeLaw",
    "Lifetimes",
    "MassLoss",
    "Outage",
    "PriceDriver",
    "PriceSpike",
    "ShockDriver",
    "Shocks",
    "StressDriver",
    "StressImpact",
    "Weibull",
    "calibration",
    "default_names",
    "drivers_for",
    "fit_bathtub",
    "fit_empirical",
    "fit_exponential",
    "fit_weibull",
    "lifetimes_of_capacity",
    "lifetimes_of_instances",
    "lifetimes_of_log",
    "log_likelihood",
    "mean_residual_h",
    "parse_failures",
    "parse_law",
    "parse_shocks",
    "parse_stress",
    "residual_h",
    "value_in_force",
    "with_spikes",
]
