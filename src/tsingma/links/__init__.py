"""Links between markets as rule files on one machine: eligibility, quotas, sessions, checks before trading and fees."""
