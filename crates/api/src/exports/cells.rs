use api_types::Item;

/// The keys of the item without `fonnte_response`, in its order.
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
pub(crate) fn cells(item: Item) -> Cells {
    [
        Some(item.id),
        Some(item.dealer_id),
        item.request_date,
        item.request_time,
        item.nama_pembawa,
        item.no_telp,
        item.tipe_unit,
        item.no_pol,
        Some(item.request_status),
        Some(item.whatsapp_status),
        item.created_by,
        item.created_date,
        item.last_modified_by,
        item.last_modified_date,
    ]
}
