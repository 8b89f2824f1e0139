"""Work of a run: its plan, folder, report, and the processes and machines that share it."""
