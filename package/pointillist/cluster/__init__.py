"""Tasks on a scheduler: planned as arrays, handed over, asked after, carried out on a node."""
