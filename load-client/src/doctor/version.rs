//! Versions as tools print them: `v1.34.3`, `28.2.2`, `1.31-lab`.

use std::fmt;
use std::str::FromStr;

/// Major and minor decide what fits together; a patch level is kept for showing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The first number.
    pub major: u32,
    /// The second number.
    pub minor: u32,
    /// Without a leading `v`.
    text: String,
}

/// The text is no version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a version such as v1.34.3")]
pub struct InvalidVersion(String);

impl FromStr for Version {
    type Err = InvalidVersion;

    fn from_str(text: &str) -> Result<Self, InvalidVersion> {
        let invalid = || InvalidVersion(text.to_owned());
        let plain = text.trim().trim_start_matches('v');
        let (major, rest) = plain.split_once('.').ok_or_else(invalid)?;
        let minor = rest
            .split(|c: char| !c.is_ascii_digit())
            .next()
            .unwrap_or_default();
        Ok(Version {
            major: major.parse().map_err(|_| invalid())?,
            minor: minor.parse().map_err(|_| invalid())?,
            text: plain.to_owned(),
        })
    }
}

impl Version {
    /// Whether it is `major.minor` or newer.
    #[must_use]
    pub fn is_at_least(&self, major: u32, minor: u32) -> bool {
        (self.major, self.minor) >= (major, minor)
    }

    /// Of an image, from its tag: `kindest/node:v1.34.3@sha256:...` is 1.34.3. `None` if the tag is no version.
    #[must_use]
    pub fn of_image(image: &str) -> Option<Self> {
        let name = image.split('@').next()?.rsplit('/').next()?;
        name.split_once(':')?.1.parse().ok()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_tools_print_them() {
        for (text, major, minor) in [("v1.34.3", 1, 34), ("28.2.2", 28, 2), ("1.31-lab\n", 1, 31)] {
            let version: Version = text.parse().unwrap();
            assert_eq!((version.major, version.minor), (major, minor), "{text}");
        }
        for wrong in ["", "latest", "v1", "1.x"] {
            assert!(wrong.parse::<Version>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_image_has_the_version_of_its_tag() {
        let of = |image| Version::of_image(image).map(|version| version.to_string());
        assert_eq!(
            of("kindest/node:v1.34.3@sha256:08497e"),
            Some("1.34.3".to_owned())
        );
        assert_eq!(of("localhost:5000/node:v1.35.0"), Some("1.35.0".to_owned()));
        assert_eq!(of("localhost:5000/node"), None);
        assert_eq!(of("node:latest"), None);
    }
}
