//! Which message's state a request shows.

/// Whether a request `r` shows the state of this message, a part of the statement with `id`,
/// `request_id` and `created_at`: it shows its newest one.
///
/// A statement that had to wait changes the newest row of the request, but still sees the messages
/// of the moment it began: one that was queued and has even ended since is not among them. So the
/// row itself names its newest message. Rows from before name none; and one that a copy of the
/// release before has sent again names an older one than that.
macro_rules! is_newest {
    ($message:literal) => {
        concat!(
            "CASE WHEN r.newest_message_id = ",
            $message,
            ".id THEN true
        WHEN r.newest_message_id IS NULL OR EXISTS (
            SELECT FROM message p
            WHERE p.id = r.newest_message_id
                AND (p.created_at, p.id) < (",
            $message,
            ".created_at, ",
            $message,
            ".id))
        THEN NOT EXISTS (
            SELECT FROM message n
            WHERE n.request_id = ",
            $message,
            ".request_id
                AND (n.created_at, n.id) > (",
            $message,
            ".created_at, ",
            $message,
            ".id))
        ELSE false END"
        )
    };
}
pub(crate) use is_newest;
