"""From bytes to records and back: formats of files, and schemas of messages."""
