"""Sending what was approved, once: gates again, durable intent, one attempt, outcome."""
