"""All tables. Rows stay in the store; the rest of the system sees domain types."""
