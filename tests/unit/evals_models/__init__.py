"""Recordings, run files and books."""
