//! A table in memory, which goes in and out by Arrow's C stream interface without a copy.

use std::collections::BTreeMap;
use std::ffi::c_void;
use std::sync::Arc;

use leadscore_config::Location;
use leadscore_core::printable;
use polars_arrow::array::{Array, StructArray};
use polars_arrow::datatypes::{ArrowDataType, Field};
use polars_arrow::ffi::{ArrowArrayStream, ArrowArrayStreamReader, export_iterator};
use polars_arrow::io::ipc::read::{StreamReader, StreamState, read_stream_metadata};
use polars_core::prelude::{
    Column, CompatLevel, DataFrame, DataType, IntoColumn, IntoSeries, NamedFrom, PolarsError,
    Series, StructChunked, TimeUnit, TimeZone,
};

use crate::arrow_types::{self, Unreadable};
use crate::write::OutTable;

/// Frames by the name of their table in the config: `leads`, `outcomes`, `history`,
/// `activities.touches`, `lookups.accounts`.
pub type Frames = BTreeMap<String, Frame>;

/// A table in memory.
#[derive(Clone)]
pub struct Frame {
    pub(crate) data: Arc<DataFrame>,
    /// Columns that it had in the stream and nobody reads, with their types.
    pub(crate) unreadable: Arc<Unreadable>,
    /// Whether each time is as precise as its cell says: midnights are instants, however many.
    pub(crate) has_exact_times: bool,
    /// What its rows are called in messages; `None` where they have numbers alone.
    pub(crate) row_names: Option<RowNames>,
}

/// What rows of a frame are called in messages, by their numbers from 0: whoever made the rows of
/// something else knows a better place than the number.
#[derive(Clone)]
pub struct RowNames(Arc<dyn Fn(usize) -> Option<String> + Send + Sync>);

impl RowNames {
    /// Names that are asked for where a message needs one; `None` where a row has none.
    pub fn new(name: impl Fn(usize) -> Option<String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(name))
    }

    pub(crate) fn of(&self, row: usize) -> Option<String> {
        (self.0)(row)
    }
}

/// Why an Arrow stream is no table.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// Two columns of one name.
    #[error("two columns are called `{}`: rename one of them", printable(column))]
    Duplicate {
        /// The name.
        column: String,
    },
    /// The stream holds one array a batch that is not a row of named columns.
    #[error(
        "the Arrow stream has {found} and no named columns\n  hint: pass a frame, not a single column"
    )]
    NoColumns {
        /// The type that it holds.
        found: String,
    },
    /// The stream ended in an error, or holds a type that is not read.
    #[error("cannot read the Arrow stream")]
    Stream(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<PolarsError> for FrameError {
    fn from(error: PolarsError) -> Self {
        Self::Stream(Box::new(error))
    }
}

impl std::fmt::Debug for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Frame({} rows, {})",
            self.data.height(),
            self.columns().join(", ")
        )
    }
}

impl Frame {
    /// How the place of an error in a frame begins.
    pub(crate) const CALLED: &str = "frame ";

    /// What messages call the frame of a table.
    pub(crate) fn called(&self, table: &str) -> String {
        format!("{}`{}`", Self::CALLED, table.trim_matches(['[', ']']))
    }

    pub(crate) fn of(data: DataFrame) -> Self {
        Self {
            data: Arc::new(data),
            unreadable: Arc::default(),
            has_exact_times: false,
            row_names: None,
        }
    }

    /// The same table, each of whose times is as precise as its cell says, and in UTC whatever zone
    /// the config names: a date is a day, and all else an instant, even where every one of them is a
    /// midnight.
    #[must_use]
    pub fn with_exact_times(self) -> Self {
        let in_utc = |column: &Column| {
            let series = column.as_materialized_series();
            let DataType::Datetime(unit, None) = series.dtype() else {
                return column.clone();
            };
            let whole = series.cast(&DataType::Int64).expect("times are numbers");
            let whole = whole.i64().expect("just made").clone();
            whole
                .into_datetime(*unit, Some(TimeZone::UTC))
                .into_column()
        };
        let columns = self.data.columns().iter().map(in_utc).collect();
        let data = DataFrame::new(self.data.height(), columns).expect("as many rows as before");
        Self {
            data: Arc::new(data),
            has_exact_times: true,
            ..self
        }
    }

    /// The same table, whose rows are called by their names in messages.
    #[must_use]
    pub fn with_row_names(self, names: RowNames) -> Self {
        Self {
            row_names: Some(names),
            ..self
        }
    }

    /// Columns of texts without a row.
    pub(crate) fn empty(columns: &[&str]) -> Self {
        let none: [&str; 0] = [];
        let columns = columns
            .iter()
            .map(|column| Series::new((*column).into(), none).into_column());
        Self::of(DataFrame::new(0, columns.collect()).expect("columns of one length, which is 0"))
    }

    /// The frame that is the place of a table's rows; `None` where files are.
    pub(crate) fn at(location: &Location) -> Option<Self> {
        match location {
            Location::Memory(rows) => {
                let frame: &Self = rows.get().expect("frames alone are put in memory");
                Some(frame.clone())
            }
            Location::NoRows => Some(Self::empty(&[])),
            Location::One(_) | Location::Many(_) => None,
        }
    }

    /// Names of the columns, those among them that nobody reads last.
    pub fn columns(&self) -> Vec<String> {
        let read = self
            .data
            .get_column_names()
            .into_iter()
            .map(ToString::to_string);
        read.chain(self.unreadable.keys().cloned()).collect()
    }

    /// Without the columns that pandas writes for an index.
    #[must_use]
    pub fn without_index(self) -> Self {
        let is_index = |name: &str| {
            name.strip_prefix("__index_level_")
                .is_some_and(|rest| rest.ends_with("__"))
        };
        let index: Vec<String> = self
            .columns()
            .into_iter()
            .filter(|name| is_index(name))
            .collect();
        if index.is_empty() {
            self
        } else {
            Self {
                data: Arc::new(self.data.drop_many(index)),
                ..self
            }
        }
    }

    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.data.height()
    }

    /// A column as numbers, NaN where missing; `None` where there is no such column, or it holds
    /// texts.
    pub fn numbers(&self, column: &str) -> Option<Vec<f64>> {
        let series = self.data.column(column).ok()?.as_materialized_series();
        if !(series.dtype().is_primitive_numeric()
            || matches!(
                series.dtype(),
                DataType::Boolean | DataType::Decimal(..) | DataType::Null
            ))
        {
            return None;
        }
        let floats = series.cast(&DataType::Float64).ok()?;
        Some(
            floats
                .f64()
                .ok()?
                .iter()
                .map(|value| value.unwrap_or(f64::NAN))
                .collect(),
        )
    }

    /// A column as texts; `None` where there is no such column.
    pub fn texts(&self, column: &str) -> Option<Vec<Option<String>>> {
        let texts = self
            .data
            .column(column)
            .ok()?
            .as_materialized_series()
            .cast(&DataType::String)
            .ok()?;
        Some(
            texts
                .str()
                .ok()?
                .iter()
                .map(|text| text.map(str::to_owned))
                .collect(),
        )
    }

    /// Visits every cell of a column of texts with its row, missing ones as `None`; false where
    /// there is no such column, or it has no texts.
    pub fn for_each_text(&self, column: &str, mut visit: impl FnMut(usize, Option<&str>)) -> bool {
        let Ok(column) = self.data.column(column) else {
            return false;
        };
        let series = column.as_materialized_series();
        if !matches!(
            series.dtype(),
            DataType::String | DataType::Categorical(..) | DataType::Enum(..)
        ) {
            return false;
        }
        let Ok(texts) = series.cast(&DataType::String) else {
            return false;
        };
        let Ok(texts) = texts.str() else {
            return false;
        };
        texts
            .iter()
            .enumerate()
            .for_each(|(row, text)| visit(row, text));
        true
    }

    /// A column of yes and no; `None` where there is no such column, or it has anything else.
    pub fn booleans(&self, column: &str) -> Option<Vec<Option<bool>>> {
        let series = self.data.column(column).ok()?.as_materialized_series();
        Some(series.bool().ok()?.iter().collect())
    }

    /// The first cells of a column as texts; empty where there is no such column.
    pub fn head(&self, column: &str, n_rows: usize) -> Vec<Option<String>> {
        Self::of(self.data.head(Some(n_rows)))
            .texts(column)
            .unwrap_or_default()
    }

    /// Takes a table out of an Arrow C stream, whose buffers are shared and released when the frame
    /// goes.
    ///
    /// # Errors
    ///
    /// [`FrameError`]
    ///
    /// # Safety
    ///
    /// `stream` points to an `ArrowArrayStream` that follows the C stream interface and that nobody
    /// else reads; it is left behind as released.
    #[expect(unsafe_code, reason = "Arrow's C interface is pointers")]
    pub unsafe fn from_stream(stream: *mut c_void) -> Result<Self, FrameError> {
        // SAFETY: as the caller promises; an empty stream takes its place, so that it is released
        // once.
        let stream = unsafe {
            std::ptr::replace(stream.cast::<ArrowArrayStream>(), ArrowArrayStream::empty())
        };
        // SAFETY: as the caller promises.
        let mut reader = unsafe { ArrowArrayStreamReader::try_new(Box::new(stream)) }?;
        let field = reader.field().clone();
        let ArrowDataType::Struct(fields) = field.dtype() else {
            return Err(FrameError::NoColumns {
                found: format!("{:?}", field.dtype()),
            });
        };
        let mut seen = std::collections::HashSet::new();
        if let Some(twice) = fields.iter().find(|field| !seen.insert(field.name.clone())) {
            return Err(FrameError::Duplicate {
                column: twice.name.to_string(),
            });
        }
        let mut columns: Vec<Vec<Box<dyn Array>>> = vec![Vec::new(); fields.len()];
        let mut n_rows = 0;
        // SAFETY: arrays are what the stream's schema says, as the caller promises.
        while let Some(chunk) = unsafe { reader.next() } {
            let chunk = chunk?;
            let Some(rows) = chunk.as_any().downcast_ref::<StructArray>() else {
                return Err(FrameError::NoColumns {
                    found: format!("{:?}", chunk.dtype()),
                });
            };
            n_rows += rows.len();
            columns
                .iter_mut()
                .zip(rows.values())
                .for_each(|(column, array)| column.push(array.clone()));
        }
        Self::of_arrays(fields, columns, n_rows)
    }

    /// The columns that are read, and the names of the others.
    fn of_arrays(
        fields: &[Field],
        columns: Vec<Vec<Box<dyn Array>>>,
        n_rows: usize,
    ) -> Result<Self, FrameError> {
        let (mut read, mut unreadable) = (Vec::new(), Unreadable::new());
        for (field, arrays) in fields.iter().zip(columns) {
            match arrow_types::series_of(field, arrays) {
                Some(series) => read.push(series?.into_column()),
                None => drop(
                    unreadable.insert(field.name.to_string(), arrow_types::type_name(&field.dtype)),
                ),
            }
        }
        Ok(Self {
            data: Arc::new(DataFrame::new(n_rows, read)?),
            unreadable: Arc::new(unreadable),
            has_exact_times: false,
            row_names: None,
        })
    }

    /// One frame of whole Arrow IPC streams, one below the other, such as the batches that an
    /// engine elsewhere sends.
    ///
    /// # Errors
    ///
    /// [`FrameError::Stream`] where one is no such stream, or is cut off;
    /// [`FrameError::Duplicate`].
    pub fn from_ipc(streams: &[Vec<u8>]) -> Result<Self, FrameError> {
        let mut frames = Vec::new();
        for stream in streams {
            let mut bytes = std::io::Cursor::new(stream.as_slice());
            let metadata = read_stream_metadata(&mut bytes)?;
            let fields: Vec<_> = metadata.schema.iter_values().cloned().collect();
            let mut seen = std::collections::HashSet::new();
            if let Some(twice) = fields.iter().find(|field| !seen.insert(field.name.clone())) {
                return Err(FrameError::Duplicate {
                    column: twice.name.to_string(),
                });
            }
            let mut columns: Vec<Vec<Box<dyn Array>>> = vec![Vec::new(); fields.len()];
            let mut n_rows = 0;
            for state in StreamReader::new(bytes, metadata, None) {
                let StreamState::Some(batch) = state? else {
                    break;
                };
                n_rows += batch.len();
                columns
                    .iter_mut()
                    .zip(batch.into_arrays())
                    .for_each(|(column, array)| column.push(array));
            }
            frames.push(Self::of_arrays(&fields, columns, n_rows)?);
        }
        Self::stack(frames)
    }

    /// A column as times in microseconds since 1970; `None` where there is no such column, or it
    /// holds no times.
    pub fn micros(&self, column: &str) -> Option<Vec<Option<i64>>> {
        let series = self.data.column(column).ok()?.as_materialized_series();
        if !matches!(series.dtype(), DataType::Datetime(..) | DataType::Date) {
            return None;
        }
        let whole = series
            .cast(&DataType::Datetime(TimeUnit::Microseconds, None))
            .ok()?
            .cast(&DataType::Int64)
            .ok()?;
        Some(whole.i64().ok()?.iter().collect())
    }

    /// A frame as an Arrow C stream, to be handed to whoever reads it.
    ///
    /// # Errors
    ///
    /// [`FrameError::Stream`] where the engine cannot put its columns side by side.
    pub fn to_stream(&self) -> Result<ArrowArrayStream, FrameError> {
        self.stream_at(CompatLevel::newest())
    }

    /// The same for readers of older Arrow, who know no views: texts are copied.
    ///
    /// # Errors
    ///
    /// As [`Self::to_stream`].
    pub fn to_compatible_stream(&self) -> Result<ArrowArrayStream, FrameError> {
        self.stream_at(CompatLevel::oldest())
    }

    fn stream_at(&self, level: CompatLevel) -> Result<ArrowArrayStream, FrameError> {
        let mut data = self.data.as_ref().clone();
        data.align_chunks_par();
        let rows: StructChunked = data.into_struct("".into());
        let rows = rows.into_series();
        let field = rows.field().to_arrow(level);
        let chunks: Vec<_> = (0..rows.n_chunks())
            .map(|chunk| Ok(rows.to_arrow(chunk, level)))
            .collect();
        Ok(export_iterator(Box::new(chunks.into_iter()), field))
    }
}

impl Frame {
    /// One frame of several with the same columns, one below the other, without a copy.
    ///
    /// # Errors
    ///
    /// [`FrameError::Stream`] where their columns differ.
    pub fn stack(frames: Vec<Self>) -> Result<Self, FrameError> {
        let unreadable = frames
            .first()
            .map(|frame| Arc::clone(&frame.unreadable))
            .unwrap_or_default();
        let mut frames = frames
            .into_iter()
            .map(|frame| Arc::unwrap_or_clone(frame.data));
        let mut all = frames.next().unwrap_or_default();
        for frame in frames {
            all.vstack_mut(&frame)?;
        }
        Ok(Self {
            data: Arc::new(all),
            unreadable,
            has_exact_times: false,
            row_names: None,
        })
    }
}

impl OutTable {
    /// The table as a frame.
    ///
    /// # Errors
    ///
    /// [`FrameError::Duplicate`] where two columns have one name.
    pub fn into_frame(self) -> Result<Frame, FrameError> {
        let mut seen = std::collections::HashSet::new();
        if let Some((twice, _)) = self
            .columns
            .iter()
            .find(|(name, _)| !seen.insert(name.clone()))
        {
            return Err(FrameError::Duplicate {
                column: twice.clone(),
            });
        }
        Ok(Frame::of(self.to_data_frame()?))
    }
}
