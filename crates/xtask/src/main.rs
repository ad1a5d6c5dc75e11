//! Chores: all tests, slow comparisons, golden numbers.

fn main() {}
