//! Demo service: takes payments, asks auth-service on each, in two versions.
