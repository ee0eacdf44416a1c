"""`outrider review`: the queue of drafts and every verdict on them, for people and for scripts."""
