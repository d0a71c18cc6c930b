"""One job: events in, commands out, and the driver around it."""
