//! Moments as they are typed: dates and times, or for undated data values of `order_by`.

use leadscore_config::Config;
use leadscore_core::Timestamp;

use crate::error::bail;

/// Reads a moment as a config takes it.
pub(crate) fn moment(config: &Config, flag: &str, text: &str) -> crate::Result<Timestamp> {
    if config.is_flat()
        && let Some(at) = text.parse::<f64>().ok().and_then(Timestamp::from_order)
    {
        return Ok(at);
    }
    match Timestamp::parse_iso(text) {
        Some((at, _, _)) => Ok(at),
        None if config.is_flat() => bail!(
            "{flag} `{text}` is neither a number nor a date\n  hint: give a value of `order_by`"
        ),
        None => {
            bail!(
                "{flag} `{text}` is not a moment\n  hint: write 2018-05-01 or 2018-05-01T09:30:00Z"
            )
        }
    }
}
