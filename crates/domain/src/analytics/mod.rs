//! What is told about the requests of some days: counts by time, reasons, types of units, and how long
//! messages took.

mod percentiles;
mod period;
mod report;

pub use percentiles::{Measure, Percentiles, whole_seconds};
pub use period::{Bucket, MOST_BUCKETS, MOST_DAYS_OF_HOURS, Period, PeriodError};
pub use report::{
    AnalyticsReport, Counts, DealerCounts, FailureCount, MOST_LISTED, SeriesEntry, UnitCount,
    unit_key,
};
