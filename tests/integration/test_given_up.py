"""Work that is given up hands its cases to people; nothing stays behind that nobody looks at."""

from pathlib import Path

from agent.daemon.kinds import work_kinds
from agent.domain.cases import CaseState
from agent.domain.drafts import DeliveryState
from agent.store.work import get_work
from tests.builders import customer, order
from tests.running import Installation, approve_all, cases, deliveries, delivery_states, settle, states


async def test_a_message_that_cannot_be_taken_further_goes_to_a_person(tmp_path: Path) -> None:
    installation = Installation(f"sqlite:///{tmp_path / 'outrider.db'}", tmp_path)
    app = installation.start()
    installation.tell(customer(), order())
    await settle(app)
    approve_all(app)
    (file,) = deliveries(app)
    kinds = work_kinds(app.deliberations, app.dispatcher, clock=app.clock)
    give_up = kinds["dispatch"].give_up
    with app.store.read() as conn:
        item = get_work(conn, f"dispatch:{file.delivery.id}")
    assert give_up is not None
    assert item is not None

    with app.store.write() as tx:
        give_up(tx, item)

    assert states(app) == {CaseState.ESCALATED: 1}
    assert delivery_states(app) == {DeliveryState.CANCELLED: 1}
    assert not installation.sent()
    assert len(cases(app)) == 1
    installation.stop_all()
