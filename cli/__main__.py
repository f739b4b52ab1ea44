"""`python -m cli` is the `cleanair` command."""

from cli.main import main

main()
