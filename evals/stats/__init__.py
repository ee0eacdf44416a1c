"""Statistics of eval runs: pure functions, each naming the source of its formula."""
