"""Replicas of a service on Spot and on-demand: policies, a simulator, the clairvoyant's plan and bound."""

from fleet.workloads.service.clairvoyant import ServiceBound, clairvoyant_service
from fleet.workloads.service.policies import POLICIES, find_policies
from fleet.workloads.service.service import Service, ServicePolicy, ServiceView
from fleet.workloads.service.simulator import ServiceRun, run_service
from fleet.workloads.service.study import ServiceStudy, service_study

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
