"""What happened, from files and to files: interruption logs, fleet history, data feed, running instances."""
