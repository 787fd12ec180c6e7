//! Documents with places.
