"""Entry point of ``python -m flowsynth``."""

from flowsynth.apps.cli import main

if __name__ == "__main__":
    main()
