"""Jobs with a deadline on Spot and on-demand: strategies, a simulator, the exact plan."""

from fleet.jobs.clairvoyant import clairvoyant, clairvoyant_plan
from fleet.jobs.job import BILLINGS, IDLE, ON_DEMAND, Job, JobStrategy, JobView, Memoryless
from fleet.jobs.simulator import JobRuns, draws, planned, simulate, starts_of
from fleet.jobs.strategies import STRATEGIES, find_job_strategies
from fleet.jobs.study import JobStudy, TraceRuns, job_study

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
