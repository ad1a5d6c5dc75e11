//! `[report]`: what the report shows, and how it looks.

use schemars::JsonSchema;
use serde::Deserialize;

/// `[report]`: what the report shows, and how it looks.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ReportConfig {
    /// Its title; default "Lead scoring report".
    pub title: Option<String>,
    /// Color of the model in charts, such as "#1f6fb5".
    #[serde(deserialize_with = "color")]
    #[schemars(with = "Option<String>")]
    pub accent: Option<String>,
    /// A picture (.svg, .png) at the top of the page, which holds it.
    pub logo: Option<String>,
    /// Categories of the leads that figures are broken down by; default: the two with the fewest
    /// values.
    pub segments: Option<Vec<String>>,
    /// What the team can call, such as "200/week"; default: the top quartile of the leads.
    #[schemars(with = "Option<String>")]
    pub capacity: Option<Capacity>,
    /// Cost of a call.
    pub cost: Option<f64>,
    /// Value of a win.
    pub value: Option<f64>,
    /// Points from which a lead is called today.
    pub threshold: Option<f64>,
}

/// So many calls a day, a week or a month.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Capacity {
    /// Number of leads that can be called.
    pub calls: f64,
    /// In so many days; `None` for the whole of a flat export.
    pub days: Option<f64>,
}

impl Capacity {
    /// Reads `200/week`, `40/day`, `800/month`, or for a flat export `500`.
    ///
    /// # Errors
    ///
    /// What was expected, in words.
    ///
    /// # Examples
    ///
    /// ```
    /// let capacity = leadscore_config::Capacity::parse("200/week")?;
    /// assert_eq!((capacity.calls, capacity.days), (200.0, Some(7.0)));
    /// # Ok::<(), String>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is not a capacity\n  hint: write for example \"200/week\", \"40/day\" or \"800/month\"; a number alone for undated data"
            )
        };
        let (number, unit) = text
            .split_once('/')
            .map_or((text, None), |(number, unit)| (number, Some(unit.trim())));
        let days = match unit {
            None => None,
            Some("day") => Some(1.0),
            Some("week") => Some(7.0),
            Some("month") => Some(DAYS_OF_MONTH),
            Some(_) => return Err(wrong()),
        };
        let calls: f64 = number.trim().parse().map_err(|_| wrong())?;
        if !(calls.is_finite() && calls > 0.0) {
            return Err(wrong());
        }
        Ok(Self { calls, days })
    }
}

/// A twelfth of a year.
pub const DAYS_OF_MONTH: f64 = 365.25 / 12.0;

impl<'de> Deserialize<'de> for Capacity {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

fn color<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let is_color = text.len() == 7
        && text.starts_with('#')
        && text[1..].bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_color {
        Ok(Some(text))
    } else {
        Err(serde::de::Error::custom(format!(
            "`{text}` is not a color\n  hint: write for example \"#1f6fb5\""
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_capacity(text: &str, expected: Option<(f64, Option<f64>)>) {
        let found = Capacity::parse(text).ok();
        assert_eq!(
            found.map(|capacity| (capacity.calls, capacity.days)),
            expected,
            "{text}"
        );
    }

    #[test]
    fn calls_in_a_time() {
        check_capacity("40/day", Some((40.0, Some(1.0))));
        check_capacity(" 12.5 / week ", Some((12.5, Some(7.0))));
        check_capacity("800/month", Some((800.0, Some(30.4375))));
        check_capacity("500", Some((500.0, None)));
        for wrong in [
            "",
            "/day",
            "40/",
            "40/year",
            "40/Day",
            "0/day",
            "-1/day",
            "NaN/day",
            "inf",
            "1e999",
            "40/day/week",
            "forty",
        ] {
            check_capacity(wrong, None);
        }
    }

    #[test]
    fn colors_are_six_digits() {
        let accent = |text: &str| {
            toml::from_str::<ReportConfig>(&format!("accent = \"{text}\""))
                .ok()
                .and_then(|config| config.accent)
        };
        assert_eq!(accent("#1f6FB5").as_deref(), Some("#1f6FB5"));
        for wrong in ["", "#fff", "1f6fb5a", "#1f6fbg", "#ééé", "#1f6fb5;", "red"] {
            assert_eq!(accent(wrong), None, "{wrong}");
        }
    }
}
