"""What people write, checked: names, numbers, ranges, and the error that says what is accepted."""
