"""Tokens: a ledger beside the book, its contracts, and how the two settle against each other (docs/tokens.md)."""
