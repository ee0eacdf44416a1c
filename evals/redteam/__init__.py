"""Attack texts and harmless texts by others, in every field that strangers write."""
