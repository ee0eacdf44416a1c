"""What edits, rejections and redrafts suggest to change, and how a lead accepts it; nothing by itself."""
