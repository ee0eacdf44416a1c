"""The LangGraph graph: the only place that knows LangGraph."""
