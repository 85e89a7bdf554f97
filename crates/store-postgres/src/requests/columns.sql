-- The columns of a request `r` that answers show.

\each shown r.{column}
