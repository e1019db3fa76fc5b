"""What runs on the fleet: jobs with a deadline, and services with replicas."""

from fleet.workloads.jobs import Job, JobRuns, JobStrategy, JobStudy, JobView, clairvoyant_plan, job_study
from fleet.workloads.service import (
    Service,
    ServiceBound,
    ServicePolicy,
    ServiceRun,
    ServiceStudy,
    ServiceView,
    clairvoyant_service,
    service_study,
)

__all__ = [
    "Job",
    "JobRuns",
    "JobStrategy",
    "JobStudy",
    "JobView",
    "Service",
    "ServiceBound",
    "ServicePolicy",
    "ServiceRun",
    "ServiceStudy",
    "ServiceView",
    "clairvoyant_plan",
    "clairvoyant_service",
    "job_study",
    "service_study",
]
