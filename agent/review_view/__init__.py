"""How drafts, situations and figures look: shared by the commands and the reviewers' application."""
