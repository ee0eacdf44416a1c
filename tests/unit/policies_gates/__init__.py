"""Tests of the gates and of what they build on."""
