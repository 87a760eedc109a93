"""What runs a job's chunks: this process, or others, on this machine or many."""
