"""What a Python session works with: runs that are started, opened, read, compared and drawn."""
