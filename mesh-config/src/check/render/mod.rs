//! One report, several renderings.

mod json;
mod sarif;
mod text;
