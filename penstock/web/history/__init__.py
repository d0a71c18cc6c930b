"""Jobs that have ended, when their JobManager is gone: archives of them, and a server that shows these."""
