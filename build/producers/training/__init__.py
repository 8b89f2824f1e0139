"""Parts that all commands that train share: processes, the run's folder, the order of samples."""
