"""Least-cost ways through a graph: compiled kernels on flat arrays, and the place on a street nearest to a point."""
