"""``python -m flowsynth``: the command ``flowsynth``."""

from flowsynth.cli import main

if __name__ == "__main__":
    main()
