//! Demo service: issues and verifies tokens, in two versions.
