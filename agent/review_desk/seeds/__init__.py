"""Drafts with planted mistakes, which measure how closely reviewers look; none of them can be sent."""
