"""The outside world, simulated: a city as an OpenStreetMap extract, and its AirKorea."""
