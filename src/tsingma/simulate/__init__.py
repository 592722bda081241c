"""Seeded, labelled simulated markets: who trades, what, when and at which price; same seed, same bytes."""
