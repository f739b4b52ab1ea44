"""The networks that readings are collected from, one client each."""
