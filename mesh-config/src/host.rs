//! Host names.
