"""Deterministic checks on a draft or an edit: what is not grounded does not leave."""
