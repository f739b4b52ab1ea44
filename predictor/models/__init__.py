"""Models: the hours measured so far in, the quantiles of the hours to come out. They know no I/O but their own file."""
