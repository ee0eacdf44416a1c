"""Scoring: the end state of a case, what it should have been, and the story in between."""
