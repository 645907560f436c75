//! Stores that fail: locked, full, stopped.
