"""Everything that is kept: tables, transactions, and one module per aggregate."""
