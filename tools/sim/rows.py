"""The rows of the company's tables: the key comes first, `changed_on` is added when a row is written."""

from typing import Final, NamedTuple


class Firm(NamedTuple):
    """A business customer."""

    firm_no: int
    name: str
    tariff: str | None
    owner_no: int
    state: str


class Person(NamedTuple):
    """A person the company knows."""

    person_no: int
    full_name: str
    mail: str | None
    handy: str | None
    push_id: str | None
    sprache: str
    zone: str | None
    land: str
    plz: str | None
    sparten: str
    """Lines of business, comma separated."""
    firm_no: int | None
    is_vip: int
    schutz: str
    """Protective flags, comma separated; empty for none."""
    stand: str


class Consent(NamedTuple):
    """One answer about one way and purpose of contact."""

    entry_no: int
    person_no: int
    weg: str
    zweck: str
    antwort: str
    quelle: str
    said_on: str
    beleg: str | None


class WebOrder(NamedTuple):
    """An order of the shop."""

    order_no: str
    person_no: int
    placed_on: str
    promised_day: str | None
    promised_until: str | None
    state: str
    pay_state: str
    refund_state: str
    handed_over_on: str | None
    done_on: str | None
    total_cents: int
    currency: str
    plz: str | None


class OrderItem(NamedTuple):
    """One line of an order."""

    item_no: int
    order_no: str
    sku: str
    title: str
    qty: int
    price_cents: int


class Parcel(NamedTuple):
    """A parcel of an order."""

    parcel_no: str
    order_no: str
    person_no: int
    carrier: str
    state: str
    needs_action: int
    eta_first: str | None
    eta_now: str | None
    eta_day: str | None


class ParcelScan(NamedTuple):
    """One sighting of a parcel by its carrier."""

    scan_no: int
    parcel_no: str
    scanned_on: str
    code: str
    place: str | None
    words: str


class Contract(NamedTuple):
    """A loan, a plan or a subscription."""

    contract_no: int
    person_no: int
    firm_no: int | None
    sparte: str
    tariff: str
    state: str
    renews_on: str | None
    price_cents: int
    currency: str
    einzug: int
    dienste: str
    """Services, comma separated."""
    standort: str | None


class Bill(NamedTuple):
    """A bill of a contract."""

    bill_no: str
    person_no: int
    contract_no: int
    state: str
    due_day: str
    due_until: str
    amount_cents: int
    usual_cents: int
    currency: str
    einzug: int
    strittig: int
    pay_link: str | None


class Outage(NamedTuple):
    """Something broken or planned."""

    outage_no: int
    art: str
    title: str
    state: str
    grad: str
    bestaetigt: int
    dienste: str
    standorte: str
    personen: str
    """Person numbers, comma separated, where neither service nor site says who is hit."""
    began_on: str
    eta_on: str | None
    solved_on: str | None
    next_word_on: str | None
    link: str | None


class UsageMeter(NamedTuple):
    """A data meter of one contract in one period."""

    meter_no: str
    person_no: int
    contract_no: int
    metric: str
    unit: str
    period_from: str
    period_until: str
    resets_day: str
    used: int
    included: int
    flat: int
    read_on: str


class InboundContact(NamedTuple):
    """A call, mail or chat by a customer."""

    contact_no: int
    person_no: int
    weg: str
    came_on: str
    grund: str
    betreff: str
    state: str
    about_kind: str | None
    about_key: str | None
    sterne: int | None


class Remark(NamedTuple):
    """Free text by staff or customer."""

    remark_no: int
    person_no: int
    about_kind: str
    about_key: str
    words: str
    written_on: str


Row = (
    Firm
    | Person
    | Consent
    | WebOrder
    | OrderItem
    | Parcel
    | ParcelScan
    | Contract
    | Bill
    | Outage
    | UsageMeter
    | InboundContact
    | Remark
)

TABLES: Final[dict[type[Row], str]] = {
    Firm: "firm",
    Person: "person",
    Consent: "consent_log",
    WebOrder: "web_order",
    OrderItem: "order_item",
    Parcel: "parcel",
    ParcelScan: "parcel_scan",
    Contract: "contract",
    Bill: "bill",
    Outage: "outage",
    UsageMeter: "usage_meter",
    InboundContact: "inbound_contact",
    Remark: "remark",
}
"""The company's tables, each before those that point at it."""


def columns_of(row_type: type[Row]) -> tuple[str, ...]:
    """Return the columns of a table, key first, `changed_on` last."""
    return (*row_type._fields, "changed_on")
