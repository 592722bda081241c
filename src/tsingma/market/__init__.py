"""Immutable snapshots of the market: closing prices of a day, price histories, and how a counter is named."""
