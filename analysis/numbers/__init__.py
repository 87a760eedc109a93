"""Statistics of rows, and what theory makes of them: frames and arrays in, frames and arrays out."""
