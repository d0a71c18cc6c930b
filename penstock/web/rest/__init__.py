"""The REST API of a JobManager, with the paths and the JSON of Flink."""
