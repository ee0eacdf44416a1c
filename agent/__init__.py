"""The running system: it watches, decides, drafts, has people approve, sends once and records."""
