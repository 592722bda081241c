"""Values every room shares: money, quantity, identifiers, dates, rounding, clock and rejections."""
