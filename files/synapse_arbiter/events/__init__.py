"""What is told of the arbiter's work: the event log, the metrics and the status."""
