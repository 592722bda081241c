"""What a path of the economy does to the house: shocks, losses, calls, defaults, waterfall, liquidity. Never books."""
