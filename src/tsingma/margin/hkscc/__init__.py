"""The VaR margin of Hong Kong cash equities (HKSCC Initial Margin Calculation Guide v1.4, October 2025)."""
