//! One report, several renderings.

mod json;
mod junit;
mod sarif;
mod text;
