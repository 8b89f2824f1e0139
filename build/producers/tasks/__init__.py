"""Tasks of the scripts, a shard at a time: find candidates, segment, select versions, import old parts."""
