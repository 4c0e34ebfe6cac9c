"""The command line: one module a verb, on top of signac-flow's parser."""
