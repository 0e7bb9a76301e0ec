"""Entry point of ``python -m flowsynth``."""

from flowsynth.cli import main

if __name__ == "__main__":
    main()
