"""The only room that touches signac-flow's private parts (its version is pinned)."""
