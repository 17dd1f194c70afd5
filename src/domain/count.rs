//! Numbers and counts as messages and the document show them: "1,000", "1 item". Which limits there are is not known
//! here.

/// A whole number with a comma between its thousands; anything else unchanged. Limits have several types of integer, so
/// this takes whatever prints as one.
pub fn thousands(number: impl ToString) -> String {
    let text = number.to_string();
    let digits = text.trim_start_matches('-');
    if !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return text;
    }
    let mut separated = text.strip_suffix(digits).unwrap_or_default().to_owned();
    for (before, digit) in (0..digits.len()).rev().zip(digits.chars()) {
        separated.push(digit);
        if before > 0 && before % 3 == 0 {
            separated.push(',');
        }
    }
    separated
}

/// A number with its noun in the singular or the plural.
pub fn pluralize(number: impl ToString, one: &str, many: &str) -> String {
    let number = thousands(number);
    let noun = if number == "1" { one } else { many };
    format!("{number} {noun}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_separated() {
        let table = [
            ("0", "0"),
            ("12", "12"),
            ("999", "999"),
            ("1000", "1,000"),
            ("10000", "10,000"),
            ("123456", "123,456"),
            ("1048576", "1,048,576"),
            ("-999", "-999"),
            ("-1000", "-1,000"),
            ("1000.5", "1000.5"),
            ("", ""),
        ];
        for (number, expected) in table {
            assert_eq!(thousands(number), expected);
        }
    }

    #[test]
    fn only_one_is_singular() {
        let counts = [0, 1, 2, 1_000].map(|number| pluralize(number, "entry", "entries"));
        assert_eq!(counts, ["0 entries", "1 entry", "2 entries", "1,000 entries"]);
    }
}
