"""How the shipped models came to their parameters, from recorded data; nothing that serves imports it."""
