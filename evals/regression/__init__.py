"""Cases from what really happened: an audited decision, without what identifies people."""
