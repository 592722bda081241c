"""What stands behind margin: collateral, the default fund, the waterfall, the auction of a defaulter's book."""
