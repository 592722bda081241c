"""From trades to obligations: capture, novation, continuous netting, due positions, mark to market."""
