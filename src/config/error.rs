//! Why the configuration is refused: one sentence that names the variable. It shows no secret.

use std::error::Error as _;

use clap::error::{ContextKind, ContextValue};

#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// `fault` says what is wrong and what is allowed, without the full stop.
    #[error("{variable} {fault}.")]
    Invalid { variable: String, fault: String },
    #[error("{one} and {other} are both set; set only one of them.")]
    Both { one: &'static str, other: &'static str },
    #[error("{variable} is {value}, which requires {missing}; set it too.")]
    Missing { variable: &'static str, value: &'static str, missing: &'static str },
    /// clap's own message; or its help, which is no error.
    #[error(transparent)]
    Usage(clap::Error),
    #[error("{variable} is not valid UTF-8.")]
    NotText { variable: String },
    #[error("Cannot read the file .env: {reason}.")]
    DotenvUnreadable { reason: String },
    /// The line may hold a secret, so only its number is shown.
    #[error(
        "Line {line} of the file .env is not NAME=value; put a value with spaces, quotes, $ or \\ in 'single quotes'."
    )]
    DotenvMalformed { line: usize },
    #[error("The file .env sets {variable} more than once.")]
    DotenvTwice { variable: String },
}

impl ConfigError {
    /// The sentence for a setting that clap refused; `None` when the error is about anything else. clap's own message
    /// has several lines, shows the value, and names the flag even when the variable was set.
    pub(super) fn of_setting(error: &clap::Error, mut command: clap::Command) -> Option<Self> {
        let Some(ContextValue::String(invalid)) = error.get(ContextKind::InvalidArg) else {
            return None;
        };
        // Only a built argument can be displayed.
        command.build();
        let argument = command.get_arguments().find(|argument| argument.to_string() == *invalid)?;
        let variable = argument.get_env()?.to_string_lossy().into_owned();
        let fault =
            match (error.source(), error.get(ContextKind::ValidValue), error.get(ContextKind::InvalidValue)) {
                (Some(fault), ..) => fault.to_string(),
                (None, Some(ContextValue::Strings(valid)), Some(ContextValue::String(got))) => {
                    Fault::new(got, &valid.join(" or ")).to_string()
                }
                _ => return None,
            };
        Some(Self::Invalid { variable, fault })
    }
}

/// What is wrong with a value and what is allowed, to follow the name of its variable.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Fault(String);

impl Fault {
    /// Longest part of an invalid value that an error repeats.
    const SHOWN_CHARACTERS: usize = 80;

    pub fn new(got: &str, allowed: &str) -> Self {
        let got: String = got.chars().take(Self::SHOWN_CHARACTERS).collect();
        Self(format!("is {got:?}; it must be {allowed}"))
    }

    /// For a value that may hold a secret: it is described, not repeated.
    pub fn of_secret(problem: &str, allowed: &str) -> Self {
        Self(format!("{problem}; it must be {allowed}"))
    }
}
