"""The command line of `build/publish.py`: the options of each kind, and what they ask for."""
