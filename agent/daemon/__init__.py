"""The daemon: rounds of watching, jobs, and an orderly end."""
