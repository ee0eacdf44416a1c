"""Channels that send: one file per provider, a capability record each."""
