"""Tests of the cases of eval suites."""
