"""Margin by full revaluation: what any product gains or loses in each scenario, and each house's own figure for it."""
