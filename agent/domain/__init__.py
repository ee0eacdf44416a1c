"""The words of Outrider as types: frozen dataclasses and enums without behaviour of their own."""
