"""The graph for those who may never need it: LangGraph takes a second to import."""

from agent.domain.cases import Situation
from agent.domain.deliberation import Deliberation
from agent.graph.nodes import Deliberate, Nodes


def deliberate_with(nodes: Nodes) -> Deliberate:
    """Return the function that takes a situation through the graph, which is built when first needed.

    Reviewers and auditors never need it, and are not to wait for it.
    """
    built: list[Deliberate] = []

    async def deliberate(situation: Situation) -> Deliberation:
        if not built:
            from agent.graph.build import build_deliberate

            built.append(build_deliberate(nodes))
        return await built[0](situation)

    return deliberate
