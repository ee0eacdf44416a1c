"""The gates: pure functions that say whether a customer may be written to, by which channel, and when."""
