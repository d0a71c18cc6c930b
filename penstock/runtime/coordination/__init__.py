"""What lives beside the coordinator for operators: the enumerators of sources."""
