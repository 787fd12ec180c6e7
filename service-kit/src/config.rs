//! Configuration from `APP_*` variables.
//!
//! The prefix is not the name of a Service: for a Service `auth-service` Kubernetes injects `AUTH_SERVICE_PORT=tcp://..`
//! into every pod of the namespace, and a prefix `AUTH_SERVICE_` would read it as a port.

use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU8;
use std::time::Duration;

use serde::de::{DeserializeOwned, Deserializer, Error as _, Visitor, value};
use serde::{Deserialize, forward_to_deserialize_any};
use tracing::level_filters::LevelFilter;

const PREFIX: &str = "APP_";

/// What every service can be told. Read it with [`read`]; the fields are the variables, in lower case, without `APP_`.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub struct Config {
    /// Address to listen on; every IPv4 address by default.
    pub host: IpAddr,
    /// Port to listen on, 8080 by default; 0 lets the system choose.
    pub port: u16,
    /// Name of this instance in `x-served-by`: the pod's name in a cluster, by default a random short one.
    #[serde(deserialize_with = "name")]
    pub instance: String,
    /// Level of the JSON log on standard error; a request is logged at `debug`, so the default `info` is quiet.
    #[serde(deserialize_with = "level")]
    pub log: LevelFilter,
    /// Whether `/fault` may make this instance fail or wait.
    pub faults: bool,
    /// Milliseconds between the signal to stop and the end of accepting. The default outlasts the two failed
    /// readiness probes, one second apart, after which no new requests come.
    pub drain_ms: u32,
    /// Worker threads; one is right for a small service on a small machine.
    pub workers: NonZeroU8,
}

impl Default for Config {
    fn default() -> Self {
        let name = uuid::Uuid::new_v4().simple().to_string();
        Self {
            host: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            port: 8080,
            instance: name[..8].to_owned(),
            log: LevelFilter::INFO,
            faults: false,
            drain_ms: 2500,
            workers: NonZeroU8::MIN,
        }
    }
}

impl Config {
    /// The drain period as a duration.
    pub fn drain(&self) -> Duration {
        Duration::from_millis(self.drain_ms.into())
    }
}

/// `/` and `,` separate in `x-served-by`, so a name has neither.
fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let name = String::deserialize(deserializer)?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    match (1..=253).contains(&name.len()) && name.bytes().all(plain) {
        true => Ok(name),
        false => Err(D::Error::custom(format!(
            "{name:?} is not 1 to 253 letters, digits, `.`, `_` or `-`"
        ))),
    }
}

fn level<'de, D: Deserializer<'de>>(deserializer: D) -> Result<LevelFilter, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|_| {
        D::Error::custom(format!(
            "{text:?} is not one of off, error, warn, info, debug, trace"
        ))
    })
}

/// Why the `APP_*` variables cannot be used. Every variant names the variable in full.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidConfig {
    /// A variable that nothing reads: most often a misspelt one.
    #[error("{variable} is not known; this service reads {known}")]
    Unknown {
        /// The variable as it was given.
        variable: String,
        /// What may be given, separated by commas.
        known: String,
    },
    /// A variable without a default was not given.
    #[error("{variable} is missing and has no default; set it and start again")]
    Missing {
        /// The variable to set.
        variable: String,
    },
    /// A value that cannot be read.
    #[error("{variable}: {reason}; correct the value and start again")]
    Value {
        /// The variable with the value.
        variable: String,
        /// What is wrong with it and what is expected.
        reason: String,
    },
}

/// Reads the shared configuration and the service's own `T` (a flat struct, too) from pairs of name and value.
/// Names without `APP_` are left alone.
///
/// # Errors
/// The first unknown variable, else the first value that is missing or cannot be read.
pub fn read<T: DeserializeOwned>(
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<(Config, T), InvalidConfig> {
    let given: Vec<_> = variables
        .into_iter()
        .filter(|(name, _)| name.starts_with(PREFIX))
        .collect();
    let known: Vec<_> = [fields::<Config>(), fields::<T>()]
        .concat()
        .into_iter()
        .map(full_name)
        .collect();
    match given.iter().find(|(name, _)| !known.contains(name)) {
        Some((name, _)) => Err(InvalidConfig::Unknown {
            variable: name.clone(),
            known: known.join(", "),
        }),
        None => Ok((part(&given)?, part(&given)?)),
    }
}

fn full_name(field: &str) -> String {
    format!("{PREFIX}{}", field.to_uppercase())
}

fn part<T: DeserializeOwned>(given: &[(String, String)]) -> Result<T, InvalidConfig> {
    let parse = |without: Option<&str>| {
        let kept = given.iter().filter(|(name, _)| Some(name.as_str()) != without);
        envy::prefixed(PREFIX).from_iter::<_, T>(kept.cloned())
    };
    let error = match parse(None) {
        Ok(value) => return Ok(value),
        Err(envy::Error::MissingValue(field)) => {
            return Err(InvalidConfig::Missing {
                variable: full_name(field),
            });
        }
        Err(error) => error,
    };
    // envy names the variable for numbers only, and without its prefix: the one at fault is the one without which
    // the error is another, or none.
    let at_fault = given
        .iter()
        .find(|(name, _)| parse(Some(name)).err().as_ref() != Some(&error));
    let text = error.to_string();
    let reason = text.split(" provided by ").next().unwrap_or(&text).to_owned();
    let variable = at_fault.map_or_else(|| format!("{PREFIX}*"), |(name, _)| name.clone());
    Err(InvalidConfig::Value { variable, reason })
}

/// The field names of a struct, which its derived `Deserialize` hands to the deserializer.
fn fields<'de, T: Deserialize<'de>>() -> &'static [&'static str] {
    let mut names = Names(&[]);
    // The struct cannot be made from this: the error is certain, and the names have been taken by then.
    let _ = T::deserialize(&mut names);
    names.0
}

struct Names(&'static [&'static str]);

impl<'de> Deserializer<'de> for &mut Names {
    type Error = value::Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, value::Error> {
        self.0 = fields;
        self.deserialize_any(visitor)
    }

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, value::Error> {
        Err(value::Error::custom("only the names were wanted"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}
