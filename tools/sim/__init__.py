"""A seeded company of four industries in its own vocabulary, for demos, evals and tests."""
