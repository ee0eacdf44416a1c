"""Scoring of decisions against what really happened."""
