"""A cluster inside a Ray cluster: JobManager and TaskManagers are actors; only this folder imports ray."""
