"""What may be done: playbooks and limits as data, and the pure functions that apply them."""
