//! Decimals as Python prints them: `str(Decimal)` and `format(Decimal, "f")`.

use rust_decimal::{Decimal, RoundingStrategy};
use serde::Serializer;

/// `str(value)`: plain, but in scientific notation below `0.000001`; a zero with seven places is `0E-7`.
#[must_use]
pub fn python_str(value: Decimal) -> String {
    let digits = value.mantissa().unsigned_abs().to_string();
    let scale = i64::from(value.scale());
    let adjusted = i64::try_from(digits.len()).unwrap_or(i64::MAX) - 1 - scale;
    if scale == 0 || adjusted >= -6 {
        return value.to_string();
    }
    let sign = if value.is_sign_negative() { "-" } else { "" };
    let (head, tail) = digits.split_at(1);
    let point = if tail.is_empty() { "" } else { "." };
    format!("{sign}{head}{point}{tail}E{adjusted}")
}

/// `format(value, "f")`: never scientific, all places kept.
#[must_use]
pub fn plain(value: Decimal) -> String {
    value.to_string()
}

/// What `tokens` cost: `tokens × price × unit`, rounded half up to seven places, without trailing zeros.
#[must_use]
pub fn amount(tokens: u64, price: Decimal, unit: Decimal) -> Decimal {
    let exact = Decimal::from(tokens).checked_mul(price).and_then(|cost| cost.checked_mul(unit));
    exact
        .unwrap_or(Decimal::MAX)
        .round_dp_with_strategy(7, RoundingStrategy::MidpointAwayFromZero)
        .normalize()
}

/// Serialises as [`python_str`].
///
/// # Errors
/// Those of the serializer.
pub fn serialize<S: Serializer>(value: &Decimal, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&python_str(*value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_print_like_pythons() {
        for text in ["0.0", "0", "0.15", "0.0000048", "0.000001", "10", "-1.50", "0.00003"] {
            assert_eq!(python_str(text.parse().unwrap()), text);
        }
        for (text, printed) in [
            ("0.0000000", "0E-7"),
            ("0.0000003", "3E-7"),
            ("0.00000012", "1.2E-7"),
            ("-0.0000003", "-3E-7"),
        ] {
            assert_eq!(python_str(text.parse().unwrap()), printed);
            assert_eq!(plain(text.parse().unwrap()), text);
        }
    }

    #[test]
    fn amounts_are_rounded_half_up_to_seven_places() {
        let cost = |tokens, price: &str, unit: &str| {
            amount(tokens, price.parse().unwrap(), unit.parse().unwrap()).to_string()
        };
        assert_eq!(cost(20, "0.15", "0.000001"), "0.000003");
        assert_eq!(cost(1, "0.15", "0.000001"), "0.0000002");
        assert_eq!(cost(1, "0.14", "0.000001"), "0.0000001");
        assert_eq!(cost(0, "0.15", "0.000001"), "0");
        assert_eq!(cost(8, "0.6", "0.000001"), "0.0000048");
    }
}
