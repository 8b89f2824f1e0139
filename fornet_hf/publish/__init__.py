"""From a folder of patch shards to a repository on the Hub: checked, described, and committed as a whole."""
