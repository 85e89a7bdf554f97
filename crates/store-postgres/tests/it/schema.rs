//! `src/schema.rs` against the migrated database.

use store_postgres::testing::TestDatabase;

/// The columns that `src/schema.rs` names, with PostgreSQL's name of their types and whether they
/// may be NULL. Diesel checks the queries against that file; this test checks the file.
const EXPECTED: &str = include_str!("../../src/schema.rs");

#[tokio::test(flavor = "multi_thread")]
async fn the_tables_of_schema_rs_are_those_of_the_migrations() {
    let database = TestDatabase::migrated().await;
    let client = database.connect().await;
    let rows = client
        .query(
            "SELECT table_schema, table_name, column_name, data_type, is_nullable = 'YES'
            FROM information_schema.columns WHERE table_schema IN ('customer', 'dealer_integration')",
            &[],
        )
        .await
        .unwrap();
    let found: Vec<(String, String, String)> = rows
        .iter()
        .map(|row| {
            let table: String = match row.get::<_, &str>(0) {
                "customer" => row.get(1),
                schema => format!("{schema}.{}", row.get::<_, &str>(1)),
            };
            (table, row.get(2), diesel_type(row.get(3), row.get(4)))
        })
        .collect();
    let declared = declared();
    assert!(declared.len() > 30, "schema.rs was read");
    for column in declared {
        assert!(
            found.contains(&column),
            "{column:?} is not in the database: {found:#?}"
        );
    }
}

fn diesel_type(data_type: &str, nullable: bool) -> String {
    let name = match data_type {
        "uuid" => "Uuid",
        "character varying" => "Varchar",
        "text" => "Text",
        "date" => "Date",
        "time without time zone" => "Time",
        "timestamp without time zone" => "Timestamp",
        "timestamp with time zone" => "Timestamptz",
        "json" => "Json",
        "jsonb" => "Jsonb",
        "boolean" => "Bool",
        "bytea" => "Binary",
        "integer" => "Integer",
        "bigint" => "BigInt",
        "smallint" => "SmallInt",
        "ARRAY" => "Array",
        other => panic!("no name for {other}"),
    };
    if nullable {
        format!("Nullable<{name}>")
    } else {
        name.to_owned()
    }
}

/// The lines `column -> Type,` below a line `table (key) {`.
fn declared() -> Vec<(String, String, String)> {
    let mut table = String::new();
    let mut columns = Vec::new();
    for line in EXPECTED.lines().map(str::trim) {
        if let Some((name, _)) = line.split_once(" (").filter(|_| line.ends_with('{')) {
            table = name.to_owned();
        }
        if let Some((column, kind)) = line.trim_end_matches(',').split_once(" -> ") {
            columns.push((table.clone(), column.to_owned(), kind.to_owned()));
        }
    }
    columns
}
