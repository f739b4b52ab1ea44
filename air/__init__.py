"""The words that all three services share: pollutants and their units, stations, the Korean index, interpolation.

Pure: arrays and frozen dataclasses, no I/O, and it imports nothing of the rest.
"""
