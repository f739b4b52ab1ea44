"""How good forecasts are on recorded hours that they have not seen. Offline: no server imports it."""
