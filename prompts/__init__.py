"""What is said to models and customers: versioned prompts, approved templates, and their rendering."""
