"""How good the forecasts were whose hours have been measured, and what follows from it."""
