"""The VaR margin of Hong Kong cash equities (HKSCC VaR Platform Initial Margin Calculation Guide v1.4, October 2025)."""
