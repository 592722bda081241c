"""Hong Kong homes beside stocks: duties, a stock-flow market with error-correction prices, spillovers, divergence."""
