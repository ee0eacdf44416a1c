"""How a judged run reads: in a terminal, for scripts, for a build server, and as a page for people."""
