"""What is issued, who holds it at which depository, and what falls due on it from issue to redemption."""
