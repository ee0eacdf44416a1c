"""Drafts of one situation, looked at together and decided once."""
