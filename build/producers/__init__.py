"""The maintainer's half: from labelled images to candidates and patches."""
