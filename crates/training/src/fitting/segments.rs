//! Tables in which a segment deviates from the common curves.

use leadscore_core::FeatureSource;
use leadscore_inference::Axis;

use crate::encoding::{Encoding, EncodingOptions, fit_axis};
use crate::error::TrainError;
use crate::input::TrainInput;

/// Tables of the segment with each of the features that move scores most.
pub(crate) fn segment_tables(
    input: TrainInput<'_>,
    rows: &[usize],
    encoding: &Encoding,
    coefficients: &[f64],
    segment: usize,
    options: EncodingOptions,
) -> Vec<(Axis, Axis)> {
    let Some(first) = fit_axis(
        input.matrix,
        rows,
        segment,
        EncodingOptions {
            max_side: MAX_SEGMENTS,
            ..options
        },
    ) else {
        return Vec::new();
    };
    encoding
        .strongest_features_for_tables(coefficients)
        .into_iter()
        .filter(|&feature_idx| feature_idx != segment)
        .take(MAX_SEGMENTED_FEATURES)
        .filter_map(|feature_idx| fit_axis(input.matrix, rows, feature_idx, options))
        .map(|second| (first.clone(), second))
        .collect()
}

/// Segments with a deviation of their own at most: the largest.
const MAX_SEGMENTS: usize = 16;
/// Features in which segments may deviate.
const MAX_SEGMENTED_FEATURES: usize = 12;

/// The category of this name.
pub(crate) fn segment_of(input: TrainInput<'_>, column: &str) -> Result<usize, TrainError> {
    let specs = input.matrix.specs();
    let is_it = |idx: &usize| {
        input.matrix.is_category(*idx)
            && matches!(
                &specs[*idx].source,
                FeatureSource::Attribute { column: known, .. } if known == column
            )
    };
    (0..specs.len()).find(is_it).ok_or_else(|| {
        let is_attribute = |idx: &usize| {
            input.matrix.is_category(*idx)
                && matches!(specs[*idx].source, FeatureSource::Attribute { .. })
        };
        let known = (0..specs.len())
            .filter(is_attribute)
            .map(|idx| specs[idx].name.clone())
            .collect::<Vec<_>>()
            .join("`, `");
        TrainError::Segment {
            column: column.to_owned(),
            known,
        }
    })
}
