"""The HTTP interface of a house: who may do what, resources to read, orders and actions to send."""
