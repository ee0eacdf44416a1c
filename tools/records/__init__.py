"""The typed records of the outside world, one vocabulary for every company."""
