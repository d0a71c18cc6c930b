"""A cluster that stays up: a JobManager with the jobs, TaskManagers with slots in which their workers run."""
