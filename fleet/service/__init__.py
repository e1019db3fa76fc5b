"""Replicas of a service on Spot and on-demand."""
