"""One portfolio across clearing houses: what it calls, who gives the credit, and that every house stays covered."""
