"""Money in real time: gross systems with queues, payment versus payment, the mainland link, small payments, wallets."""
