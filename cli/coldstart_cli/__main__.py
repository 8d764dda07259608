"""``python -m coldstart_cli`` is ``coldstart``."""

from coldstart_cli.main import main

if __name__ == "__main__":
    main()
