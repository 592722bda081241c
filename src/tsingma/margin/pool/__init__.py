"""One pool of collateral: pledged once, allotted to every house that calls, reused up to a limit, exchanged safely."""
