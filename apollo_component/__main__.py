"""The console script. `--version` and `palette` are answered before anything heavy is imported."""

import sys

from . import __version__


def main() -> int | None:
    arguments = sys.argv[1:]
    if arguments == ["--version"]:
        sys.stdout.write(f"apollo-component {__version__}\n")
        return 0
    if arguments[:1] == ["palette"] and set(arguments[1:]) <= {"--json"}:
        from .cli.palette import shown
        from .contract.palette import palette

        if found := palette():
            sys.stdout.write(shown(found, as_json="--json" in arguments))
            return 0
    from .cli.app import run

    return _left(run())


def _left(code: int) -> int:
    """A thread that still waits for quota would keep the process alive; all that matters is on disk."""
    import os
    import threading

    if any(thread.name.startswith("run_") for thread in threading.enumerate()):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code


if __name__ == "__main__":
    sys.exit(main())
