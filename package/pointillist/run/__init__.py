"""Doing it: the runner, one attempt, publishing, what it ran in."""
