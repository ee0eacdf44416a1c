"""The nodes of the graph; they do not know each other, nor LangGraph."""
