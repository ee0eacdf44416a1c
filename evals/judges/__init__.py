"""Model judges: a diagnosis of finished texts, by which nothing is decided."""
