"""Steps on a Ray cluster: the pool's workers, held by actors on one or many nodes."""
