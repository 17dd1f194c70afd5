//! Counts in words, as messages and the document tell them: "1 item", "1,000 items". What is counted, and how many there may
//! be, is said where it is enforced.

/// A whole number with a comma between its thousands; anything else as it is. Limits come in several types of integer, so
/// that it takes whatever is written as one.
pub fn grouped(number: impl ToString) -> String {
    let text = number.to_string();
    let digits = text.trim_start_matches('-');
    if !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return text;
    }
    let mut grouped = text.strip_suffix(digits).unwrap_or_default().to_owned();
    for (before, digit) in (0..digits.len()).rev().zip(digits.chars()) {
        grouped.push(digit);
        if before > 0 && before % 3 == 0 {
            grouped.push(',');
        }
    }
    grouped
}

/// So many of something, in the singular or the plural.
pub fn counted(number: impl ToString, one: &str, many: &str) -> String {
    let number = grouped(number);
    let noun = if number == "1" { one } else { many };
    format!("{number} {noun}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
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
            assert_eq!(grouped(number), expected);
        }
    }

    #[test]
    fn one_is_singular_and_nothing_else_is() {
        let told = [0, 1, 2, 1_000].map(|number| counted(number, "entry", "entries"));
        assert_eq!(told, ["0 entries", "1 entry", "2 entries", "1,000 entries"]);
    }
}
