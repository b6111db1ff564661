"""`python -m ekiben`: the command line."""

from ekiben.cli import main

if __name__ == "__main__":
    main()
