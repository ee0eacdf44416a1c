"""Watching: outside systems into the mirror, changes and timers into cases, cases through the screen."""
