"""The world of a case as ports of the running system: a source, providers, a reviewer, and time."""
