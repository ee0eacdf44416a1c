"""Tests of loading playbooks and of the conditions in them."""
