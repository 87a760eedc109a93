"""Small frames made by hand: for each claim of each paper, rows that fulfil it and rows that violate it."""
