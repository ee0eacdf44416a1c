"""The model port, its adapters, the ledger of calls and the budget."""
