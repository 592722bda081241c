"""What a portfolio must be covered with: the published models of the clearing houses, as pure rules."""
