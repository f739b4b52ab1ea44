"""What one breathes on the way: the air forecast at stations, over the streets of a graph, as a dose."""
