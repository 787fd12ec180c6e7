//! What holds for any input.

mod applying;
mod bytes;
mod deciding;
mod paths;
mod printing;
