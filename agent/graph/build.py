"""The graph in one screen: sense → decide → draft → guard ⟲ → record, over one situation.

There is no checkpointer: a killed run starts again from the situation, the ledger of model calls answers
what was already asked, and `record` writes each case once. No node can send, and none waits for a person:
a draft in the review queue is a row, not a parked thread.
"""

# pyright: basic
# LangGraph's generics are partially unknown under strict; this is the only file that meets them.

import os

os.environ["LANGSMITH_TRACING"] = "false"  # langsmith is always installed and would export customers' data
os.environ.setdefault("LANGGRAPH_STRICT_MSGPACK", "true")

from typing import Final

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from agent.domain.cases import Situation
from agent.domain.deliberation import Deliberation, Update
from agent.graph.nodes import Deliberate, Nodes
from agent.graph.routes import after_decide, after_draft, after_guard

RECURSION_LIMIT: Final = 25  # LangGraph's own default is about 10,000


def compile_graph(nodes: Nodes) -> CompiledStateGraph[Deliberation, None, Deliberation, Deliberation]:
    """Return the compiled graph."""
    graph = StateGraph(Deliberation)
    graph.add_node("sense", nodes.sense)
    graph.add_node("decide", nodes.decide)
    graph.add_node("draft", nodes.draft)
    graph.add_node("guard", nodes.guard)
    graph.add_node("record", nodes.record)
    graph.add_edge(START, "sense")
    graph.add_edge("sense", "decide")
    graph.add_conditional_edges("decide", after_decide)
    graph.add_conditional_edges("draft", after_draft)
    graph.add_conditional_edges("guard", after_guard)
    graph.add_edge("record", END)
    return graph.compile()


def build_deliberate(nodes: Nodes) -> Deliberate:
    """Return the function that takes a situation through the graph."""
    graph = compile_graph(nodes)

    async def deliberate(situation: Situation) -> Deliberation:
        values = await graph.ainvoke(Deliberation(situation=situation), {"recursion_limit": RECURSION_LIMIT})
        return Deliberation(**values)

    return deliberate


def mermaid() -> str:
    """Return the graph as a Mermaid picture, for ARCHITECTURE.md."""

    async def nothing(state: Deliberation) -> Update:  # noqa: ARG001  # only drawn, never run
        return {}

    nodes = Nodes(sense=nothing, decide=nothing, draft=nothing, guard=nothing, record=nothing)
    return str(compile_graph(nodes).get_graph().draw_mermaid())
