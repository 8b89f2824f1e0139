"""What a recombined image is made of: configuration, random generators, draws. No pixels here."""
