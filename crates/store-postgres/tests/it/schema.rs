//! `src/schema.rs` is made from the migrated database, and stays what that has.

use std::fmt::Write as _;
use std::path::Path;

use store_postgres::testing::TestDatabase;

/// Tables in the order of their names, columns in that of the table.
const COLUMNS: &str = "
SELECT c.table_schema, c.table_name, c.column_name, c.udt_name, c.is_nullable = 'YES',
    EXISTS (
        SELECT FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
        WHERE i.indisprimary AND a.attname = c.column_name AND i.indrelid = t.oid)
    -- Diesel wants a key: of a table without one the first column.
    OR c.ordinal_position = 1
        AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indisprimary AND i.indrelid = t.oid)
FROM information_schema.columns c
JOIN pg_class t ON t.oid = format('%I.%I', c.table_schema, c.table_name)::regclass
WHERE c.table_schema IN ('customer', 'dealer_integration')
    AND c.table_name <> '__diesel_schema_migrations'
ORDER BY c.table_name, c.ordinal_position";

#[tokio::test(flavor = "multi_thread")]
async fn the_tables_of_schema_rs_are_those_of_the_migrations() {
    let database = TestDatabase::migrated().await;
    let rows = database.connect().await.query(COLUMNS, &[]).await.unwrap();
    let mut tables: Vec<Table> = Vec::new();
    for row in &rows {
        let name: &str = row.get(1);
        if tables.last().is_none_or(|table| table.name != name) {
            tables.push(Table {
                schema: row.get(0),
                name,
                keys: Vec::new(),
                columns: String::new(),
            });
        }
        let table = tables.last_mut().unwrap();
        let column: &str = row.get(2);
        if row.get(5) {
            table.keys.push(column);
        }
        let sql_type = diesel_type(row.get(3), row.get(4));
        writeln!(table.columns, "        {column} -> {sql_type},").unwrap();
    }
    let generated = generated(&tables);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/schema.rs");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &generated).unwrap();
    }
    let found = std::fs::read_to_string(path).unwrap();
    assert_eq!(found, generated, "UPDATE_GOLDEN=1 writes it anew");
}

struct Table<'a> {
    schema: &'a str,
    name: &'a str,
    keys: Vec<&'a str>,
    columns: String,
}

fn generated(tables: &[Table]) -> String {
    let mut text = "// Generated from the migrated database; do not edit. Made anew by
// `UPDATE_GOLDEN=1 cargo run -p local-postgres -- exec -- cargo test -p store-postgres --test it schema::`.
"
    .to_owned();
    for table in tables {
        let schema = match table.schema {
            // Ours has any name, and is found through `search_path`.
            "customer" => String::new(),
            other => format!("{other}."),
        };
        let Table { name, columns, .. } = table;
        let keys = table.keys.join(", ");
        write!(
            text,
            "\ndiesel::table! {{\n    {schema}{name} ({keys}) {{\n{columns}    }}\n}}\n"
        )
        .unwrap();
    }
    text.push_str("\ndiesel::allow_tables_to_appear_in_same_query!(\n");
    for table in tables {
        writeln!(text, "    {},", table.name).unwrap();
    }
    text.push_str(");\n");
    text
}

fn diesel_type(udt: &str, nullable: bool) -> String {
    let name = match udt.trim_start_matches('_') {
        "uuid" => "Uuid",
        "varchar" => "Varchar",
        "text" => "Text",
        "date" => "Date",
        "time" => "Time",
        "timestamp" => "Timestamp",
        "timestamptz" => "Timestamptz",
        "json" => "Json",
        "jsonb" => "Jsonb",
        "bool" => "Bool",
        "bytea" => "Binary",
        "int2" => "SmallInt",
        "int4" => "Integer",
        "int8" => "BigInt",
        other => panic!("no type of Diesel for {other}"),
    };
    let name = match udt.strip_prefix('_') {
        Some(_) => format!("Array<{name}>"),
        None => name.to_owned(),
    };
    if nullable {
        format!("Nullable<{name}>")
    } else {
        name
    }
}
