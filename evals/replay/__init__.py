"""Replaying a real company's history through the real loop, and scoring it against what happened."""
