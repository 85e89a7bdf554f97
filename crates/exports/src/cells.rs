use chrono::{NaiveDateTime, NaiveTime, Timelike as _};
use domain::requests::Request;

/// The keys of the API's item without `fonnte_response`, in its order.
pub(crate) const HEADER: [&str; 14] = [
    "id",
    "dealer_id",
    "request_date",
    "request_time",
    "nama_pembawa",
    "no_telp",
    "tipe_unit",
    "no_pol",
    "request_status",
    "whatsapp_status",
    "created_by",
    "created_date",
    "last_modified_by",
    "last_modified_date",
];

/// The values of a request under [`HEADER`].
pub(crate) type Cells = [Option<String>; HEADER.len()];

/// The cells of a request.
pub(crate) fn cells(request: Request) -> Cells {
    let date = request.request_date;
    [
        Some(request.id.to_string()),
        Some(request.dealer_id),
        date.map(|date| date.format("%Y-%m-%d").to_string()),
        request.request_time.map(iso_time),
        request.customer_name,
        request.phone,
        request.unit_type,
        request.license_plate,
        Some(request.request_status),
        Some(request.whatsapp_status),
        request.created_by,
        request.created_date.map(iso_date_time),
        request.last_modified_by,
        request.last_modified_date.map(iso_date_time),
    ]
}

/// `2019-12-31T15:40:50`, with six more digits when there is a fraction, as Python writes it.
#[must_use]
pub fn iso_date_time(at: NaiveDateTime) -> String {
    format!("{}T{}", at.format("%Y-%m-%d"), iso_time(at.time()))
}

/// `15:40:50`, with six more digits when there is a fraction.
#[must_use]
pub fn iso_time(at: NaiveTime) -> String {
    let whole = at.format("%H:%M:%S");
    match at.nanosecond() / 1_000 {
        0 => whole.to_string(),
        micros => format!("{whole}.{micros:06}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::NaiveDate;

    #[test]
    fn times_are_written_as_the_service_of_before_wrote_them() {
        let day = NaiveDate::from_ymd_opt(2026, 11, 22).unwrap();
        let at = |micros| iso_date_time(day.and_hms_micro_opt(16, 20, 13, micros).unwrap());
        assert_eq!(at(0), "2026-11-22T16:20:13");
        assert_eq!(at(344_527), "2026-11-22T16:20:13.344527");
        assert_eq!(at(500_000), "2026-11-22T16:20:13.500000");
        let early = NaiveDate::from_ymd_opt(1, 2, 3)
            .unwrap()
            .and_hms_opt(4, 5, 6)
            .unwrap();
        assert_eq!(iso_date_time(early), "0001-02-03T04:05:06");
    }
}
