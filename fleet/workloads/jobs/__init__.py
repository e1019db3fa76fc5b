"""Jobs with a deadline on Spot and on-demand: strategies, a simulator, the exact plan."""

from fleet.workloads.jobs.clairvoyant import clairvoyant, clairvoyant_plan
from fleet.workloads.jobs.job import BILLINGS, IDLE, ON_DEMAND, Job, JobStrategy, JobView, Memoryless
from fleet.workloads.jobs.simulator import JobRuns, draws, planned, simulate, starts_of
from fleet.workloads.jobs.strategies import STRATEGIES, find_job_strategies
from fleet.workloads.jobs.study import JobStudy, TraceRuns, job_study

__all__ = [
    "BILLINGS",
    "IDLE",
    "ON_DEMAND",
    "STRATEGIES",
    "Job",
    "JobRuns",
    "JobStrategy",
    "JobStudy",
    "JobView",
    "Memoryless",
    "TraceRuns",
    "clairvoyant",
    "clairvoyant_plan",
    "draws",
    "find_job_strategies",
    "job_study",
    "planned",
    "simulate",
    "starts_of",
]
