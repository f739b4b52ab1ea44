"""`python -m gateway`: runs the gateway, configured by CLEANAIR_* environment variables."""

from gateway.server import start

if __name__ == "__main__":
    start()
