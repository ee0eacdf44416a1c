"""The company's live database during a replay: it holds what was true by the simulated now, and no more."""

import sqlite3
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Final

from evals.replay.olist import BRASILIA, OrderHistory

_SCHEMA: Final = """
CREATE TABLE cliente (
  cliente_id TEXT PRIMARY KEY, email TEXT NOT NULL, uf TEXT NOT NULL, cep TEXT NOT NULL,
  alterado_em TEXT NOT NULL
);
CREATE INDEX ix_cliente_alterado ON cliente (alterado_em, cliente_id);
CREATE TABLE pedido (
  pedido_id TEXT PRIMARY KEY, cliente_id TEXT NOT NULL, situacao TEXT NOT NULL, comprado_em TEXT NOT NULL,
  despachado_em TEXT, entregue_em TEXT, prometido_para TEXT NOT NULL, fim_da_promessa TEXT NOT NULL,
  total_centavos INTEGER NOT NULL, moeda TEXT NOT NULL, alterado_em TEXT NOT NULL
);
CREATE INDEX ix_pedido_alterado ON pedido (alterado_em, pedido_id);
"""
_SET_STATUS: Final = {
    "approved": "UPDATE pedido SET situacao = 'aprovado', alterado_em = :at WHERE pedido_id = :id "
    "AND situacao = 'criado'",
    "handed_over": "UPDATE pedido SET situacao = 'despachado', despachado_em = :at, alterado_em = :at "
    "WHERE pedido_id = :id AND situacao <> 'entregue'",
    "delivered": "UPDATE pedido SET situacao = 'entregue', entregue_em = :at, alterado_em = :at "
    "WHERE pedido_id = :id",
}


class LiveCompany:
    """An empty shop database that `advance` fills as the simulated time passes."""

    def __init__(self, path: Path, history: Sequence[OrderHistory]) -> None:
        self.path = path
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;" + _SCHEMA)
        self._changes = sorted(_changes(history), key=lambda change: (change[0], change[1]))
        self._position = 0

    def advance(self, to: datetime) -> int:
        """Apply every change dated before or at `to`; return how many."""
        start = self._position
        self._connection.execute("BEGIN")
        while self._position < len(self._changes) and self._changes[self._position][0] <= to:
            at, _, kind, order = self._changes[self._position]
            if kind == "purchased":
                self._insert(order, at)
            else:
                self._connection.execute(_SET_STATUS[kind], {"at": _text(at), "id": order.order_id})
            self._position += 1
        self._connection.execute("COMMIT")
        return self._position - start

    def close(self) -> None:
        """Close the database."""
        self._connection.close()

    def _insert(self, order: OrderHistory, at: datetime) -> None:
        self._connection.execute(
            "INSERT INTO cliente VALUES (?, ?, ?, ?, ?) ON CONFLICT (cliente_id) DO NOTHING",
            (order.person_id, f"{order.person_id}@example.com", order.state, order.postcode, _text(at)),
        )
        self._connection.execute(
            "INSERT INTO pedido VALUES (?, ?, 'criado', ?, NULL, NULL, ?, ?, ?, 'BRL', ?)",
            (
                order.order_id,
                order.person_id,
                _text(order.purchased_at),
                _day(order.promised_on),
                _text(order.promised_end),
                order.total_cents,
                _text(at),
            ),
        )


def _changes(history: Sequence[OrderHistory]) -> list[tuple[datetime, int, str, OrderHistory]]:
    changes: list[tuple[datetime, int, str, OrderHistory]] = []
    for order in history:
        dates = (
            ("approved", order.approved_at),
            ("handed_over", order.handed_over_at),
            ("delivered", order.delivered_at),
        )
        changes.append((order.purchased_at, 0, "purchased", order))
        # 23 parcels arrive before they were handed over; a change never shows before the purchase
        changes.extend(
            (max(at, order.purchased_at), rank, kind, order)
            for rank, (kind, at) in enumerate(dates, start=1)
            if at is not None
        )
    return changes


def _text(instant: datetime) -> str:
    return instant.astimezone(BRASILIA).strftime("%Y-%m-%d %H:%M:%S")


def _day(day: date) -> str:
    return day.isoformat()
