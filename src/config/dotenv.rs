//! The file `.env` in the working directory. It fills in variables that the environment lacks; it never replaces one.

use std::collections::HashSet;
use std::path::Path;
use std::{fs, io};

use super::error::ConfigError;

pub const FILE: &str = ".env";

/// Sets the variables of the file at `path` that the process does not have yet. Does nothing if there is no such file.
pub fn load(path: &Path) -> Result<(), ConfigError> {
    let content = read(path)?;
    dotenvy::from_read(content.as_bytes()).map_err(|error| line_error(&content, &error))
}

/// The content of the file, once it is known to be well-formed and to set each variable once.
pub(super) fn read(path: &Path) -> Result<String, ConfigError> {
    let content = match fs::read_to_string(path) {
        Ok(content) => content,
        // A folder of that name is usually a Python virtual environment.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::IsADirectory) => {
            return Ok(String::new());
        }
        Err(error) => return Err(ConfigError::DotenvUnreadable { reason: error.to_string() }),
    };
    let content = content.trim_start_matches('\u{feff}');
    check(content)?;
    Ok(content.to_owned())
}

pub(super) fn check(content: &str) -> Result<(), ConfigError> {
    let mut variables = HashSet::new();
    for entry in dotenvy::from_read_iter(content.as_bytes()) {
        let (variable, _) = entry.map_err(|error| line_error(content, &error))?;
        if !variables.insert(variable.clone()) {
            return Err(ConfigError::DotenvTwice { variable });
        }
    }
    Ok(())
}

/// dotenvy shows the malformed text, which may hold a secret, but not its line.
fn line_error(content: &str, error: &dotenvy::Error) -> ConfigError {
    let dotenvy::Error::LineParse(malformed, _) = error else {
        return ConfigError::DotenvUnreadable { reason: error.to_string() };
    };
    let start = malformed.lines().next().unwrap_or_default();
    let is_malformed = |line: &str| !line.trim_start().starts_with('#') && line.contains(start);
    let index = content.lines().position(is_malformed).unwrap_or_default();
    ConfigError::DotenvMalformed { line: index.saturating_add(1) }
}
