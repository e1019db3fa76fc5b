"""Files in and out: the only rooms that touch them. A new format is a module here and one line below."""

from fleet.domain.times import format_time, parse_time
from fleet.io.capacity.availability import read_availability
from fleet.io.capacity.scores import read_scores
from fleet.io.capacity.table import read_capacity
from fleet.io.capacity.trace_set import TraceSet, join_zones, read_trace_set
from fleet.io.catalogue.instance_types import read_instance_types
from fleet.io.catalogue.on_demand import OnDemandPrices, read_on_demand
from fleet.io.catalogue.spot_advisor import SpotAdvisor, read_spot_advisor
from fleet.io.catalogue.subnets import read_subnets
from fleet.io.catalogue.zones import placed_by_name, read_zone_ids, with_zone_names
from fleet.io.prices.history import PriceHistory, ReadReport, Skipped, read_prices
from fleet.io.prices.market_folder import is_market_folder, load_market, market_digest, save_market
from fleet.io.records.data_feed import DataFeed, data_feed_bytes, read_data_feed, write_data_feed
from fleet.io.records.fleet_answer import FleetAnswer, read_fleet_answer
from fleet.io.records.fleet_history import fleet_history
from fleet.io.records.interruption_log import InterruptionLog, LoggedInstance, read_interruption_log
from fleet.io.records.running import RunningInstances, read_running
from fleet.io.requests.fleet_request import parse_request, read_request
from fleet.io.requests.schedule import read_schedule
from fleet.io.requests.spot_request import parse_spot_request, read_spot_request

__all__ = [
    "DataFeed",
    "FleetAnswer",
    "InterruptionLog",
    "LoggedInstance",
    "OnDemandPrices",
    "PriceHistory",
    "ReadReport",
    "RunningInstances",
    "Skipped",
    "SpotAdvisor",
    "TraceSet",
    "data_feed_bytes",
    "fleet_history",
    "format_time",
    "is_market_folder",
    "join_zones",
    "load_market",
    "market_digest",
    "parse_request",
    "parse_spot_request",
    "parse_time",
    "placed_by_name",
    "read_availability",
    "read_capacity",
    "read_data_feed",
    "read_fleet_answer",
    "read_instance_types",
    "read_interruption_log",
    "read_on_demand",
    "read_prices",
    "read_request",
    "read_running",
    "read_schedule",
    "read_scores",
    "read_spot_advisor",
    "read_spot_request",
    "read_subnets",
    "read_trace_set",
    "read_zone_ids",
    "save_market",
    "with_zone_names",
    "write_data_feed",
]
