"""Cases of eval suites: a small world, events in order, and the end state that is expected."""
