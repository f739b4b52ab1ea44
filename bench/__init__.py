"""What is measured, against which peer, by one command."""
