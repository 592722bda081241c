"""Fan-out: the same pure task over many inputs, in process, on a pool of processes, or on an existing Ray cluster."""
