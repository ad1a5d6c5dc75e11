//! Whether a model still holds: the statistics of monitoring. It knows numbers, weeks and clusters;
//! it has no tables, no files and no clock.

mod chance;
#[cfg(test)]
mod draws;

mod drift;
mod early;
mod forecast;
mod promotion;
mod refit;
mod uplift;

pub use drift::{
    Column, ConceptDrift, Contributions, Drift, DriftError, DriftKind, DriftOptions, drift,
};
pub use early::{
    Ages, Arm, CannotTell, Change, Detectable, EarlyError, EarlyOptions, EarlyRead, EarlyReference,
    EarlyVerdict, EarlyWeek, LeadWeeks, LevelSince, Movement, Part, PartKey, ReferenceSummary,
    Season, Segmentation, Side, Thresholds, Validation, WeeklyChance, early_read,
};
pub use forecast::{
    Forecast, ForecastError, ForecastInput, ForecastOptions, PastError, PastForecasts,
    TierForecast, Vintage, VintageRow, backtest_forecasts, forecast,
};
pub use promotion::{
    CannotTellBecause, Decision, Evidence, KeepBecause, Looks, PromoteBecause, PromotionError,
    PromotionRule, PromotionVerdict, Trial, decide,
};
pub use refit::{RefitCheck, RefitError, RefitPeriod, RefitPeriodFigures, check_refit};
pub use uplift::{
    Arm as ArmRows, ArmFigures, Uplift, UpliftError, UpliftKind, UpliftOptions, UpliftReading,
    uplift,
};
