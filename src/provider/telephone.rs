//! Chinese telephone numbers: a mobile of 11 digits, a landline as area code, number and extension. What is
//! taken for one is bounded as oTMS bounds it (ImportedContactPerson: mobile `\d{11}`, phoneAreaCode `\d{1,4}`,
//! phone `\d{6,10}(-[0-9]{1,5})?`).

/// A landline in two parts.
#[derive(Debug, PartialEq, Eq)]
pub struct Landline {
    /// Without the trunk 0
    pub area_code: String,
    /// With `-` and the extension, where there is one
    pub number: String,
}

/// A mobile number without country code and separators, if it has 11 digits then.
pub fn mobile(written: &str) -> Option<String> {
    let digits = national(written);
    let digits: String = digits.chars().filter(|character| !matches!(character, ' ' | '-' | '(' | ')')).collect();
    (digits.len() == 11 && all_digits(&digits)).then_some(digits)
}

/// A landline, if it can be split into area code, number and extension.
pub fn landline(written: &str) -> Option<Landline> {
    let (number, extension) = match written.split_once(";ext=") {
        Some((number, extension)) => (number, Some(extension.to_owned())),
        None => (written, None),
    };
    let national = national(number);
    let mut parts: Vec<String> =
        national.split(['-', ' ', '(', ')']).filter(|part| !part.is_empty()).map(str::to_owned).collect();
    if parts.iter().any(|part| !all_digits(part)) {
        return None;
    }
    // 400-820-8888: a service number is written in three groups and has no extension.
    if matches!(parts.first().map(String::as_str), Some("400" | "800")) && parts.len() == 3 && extension.is_none() {
        let last = parts.pop()?;
        parts[1].push_str(&last);
    }
    let (area_code, number, trailing) = match parts.as_slice() {
        [digits] => {
            let (area_code, number) = split_area_code(digits.strip_prefix('0').unwrap_or(digits))?;
            (area_code, number, None)
        }
        [area_code, number] => (area_code.clone(), number.clone(), None),
        [area_code, number, trailing] => (area_code.clone(), number.clone(), Some(trailing.clone())),
        // +86 571 8888 0001: groups of the number itself.
        [area_code, first, second, trailing] if extension.is_none() => {
            (area_code.clone(), format!("{first}{second}"), Some(trailing.clone()))
        }
        _ => return None,
    };
    // +86 571 8888 0001: three parts of which the second is too short to be a number.
    let (number, trailing) = match trailing {
        Some(rest) if number.len() < 6 => (format!("{number}{rest}"), None),
        other => (number, other),
    };
    if extension.is_some() && trailing.is_some() {
        return None;
    }
    let extension = extension.or(trailing);
    let area_code = area_code.strip_prefix('0').unwrap_or(&area_code).to_owned();
    let fits = (1..=4).contains(&area_code.len())
        && (6..=10).contains(&number.len())
        && extension.as_ref().is_none_or(|extension| (1..=5).contains(&extension.len()) && all_digits(extension));
    fits.then(|| Landline {
        area_code,
        number: match extension {
            Some(extension) => format!("{number}-{extension}"),
            None => number,
        },
    })
}

/// Area codes have two digits where they begin with 10 or 2 (Beijing, Shanghai, …), else three.
fn split_area_code(digits: &str) -> Option<(String, String)> {
    let length = if digits.starts_with("10") || digits.starts_with('2') { 2 } else { 3 };
    (digits.len() > length).then(|| (digits[..length].to_owned(), digits[length..].to_owned()))
}

/// Without the country code of China.
fn national(written: &str) -> String {
    let trimmed = written.trim();
    let rest = trimmed.strip_prefix("+86").or_else(|| trimmed.strip_prefix("0086")).unwrap_or(trimmed);
    rest.trim_start_matches(['-', ' ']).to_owned()
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mobiles() {
        for written in ["+8613800000001", "13800000001", "+86 138-0000-0001", "0086 13800000001"] {
            assert_eq!(mobile(written).as_deref(), Some("13800000001"), "{written}");
        }
        for written in ["+61412345678", "1380000000", "138000000012", "", "１３８00000001"] {
            assert_eq!(mobile(written), None, "{written}");
        }
    }

    #[test]
    fn landlines() {
        for (written, area_code, number) in [
            ("+8657188880001;ext=12", "571", "88880001-12"),
            ("+86223321506", "22", "3321506"),
            ("021-12345678", "21", "12345678"),
            ("0571-88880001-12", "571", "88880001-12"),
            ("+86-571-88880001", "571", "88880001"),
            ("+86 571 8888 0001", "571", "88880001"),
            ("+86 571 8888 0001 12", "571", "88880001-12"),
            ("(010)12345678", "10", "12345678"),
            ("02112345678", "21", "12345678"),
            ("400-820-8888", "400", "8208888"),
        ] {
            let expected = Landline { area_code: area_code.to_owned(), number: number.to_owned() };
            assert_eq!(landline(written), Some(expected), "{written}");
        }
        for written in ["88880001-12", "3321506", "+1-202-555-0100x", "", "0571-abc", "0571-88880001-123456"] {
            assert_eq!(landline(written), None, "{written}");
        }
    }
}
