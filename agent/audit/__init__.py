"""The audit log read back: verified, exported, listed, and one decision as a card a stranger understands."""
