"""The AI value chain as tables, accounts and equilibria: who earns what, where it leaks, and what a shock changes."""
