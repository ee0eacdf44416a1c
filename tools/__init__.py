"""Typed access to the outside world: records, connectors, channels and a simulated company."""
