"""The maintainer's half: from labelled pictures to candidates and patches."""
