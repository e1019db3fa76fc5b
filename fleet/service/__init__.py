"""Replicas of a service on Spot and on-demand: policies, a simulator, the clairvoyant's plan and bound."""

from fleet.service.clairvoyant import ServiceBound, clairvoyant_service
from fleet.service.policies import POLICIES, find_policies
from fleet.service.service import Service, ServicePolicy, ServiceView
from fleet.service.simulator import ServiceRun, run_service
from fleet.service.study import ServiceStudy, service_study

__all__ = [
    "POLICIES",
    "Service",
    "ServiceBound",
    "ServicePolicy",
    "ServiceRun",
    "ServiceStudy",
    "ServiceView",
    "clairvoyant_service",
    "find_policies",
    "run_service",
    "service_study",
]
