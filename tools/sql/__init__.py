"""The generic SQL connector: any SQL database read by a YAML mapping, incrementally and never written."""
