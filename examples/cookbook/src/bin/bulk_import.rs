//! Bulk import: a hundred rows to a transaction. A bad row rolls back its own hundred, and no other.

use std::sync::Arc;

use abreast::batched_chunks;
use cookbook::Error;
use redb::backends::InMemoryBackend;
use redb::{Database, ReadableTableMetadata, TableDefinition};
use tokio::task::spawn_blocking;

const PRICES: TableDefinition<'_, &str, u64> = TableDefinition::new("prices");

#[tokio::main]
async fn main() -> Result<(), Error> {
    let database = Arc::new(Database::builder().create_with_backend(InMemoryBackend::new())?);
    let rows = (1..=1050).map(|row| match row {
        250 => "item 250;free".to_owned(),
        _ => format!("item {row};{}", row * 10),
    });

    let result = batched_chunks(rows, 100, async |chunk: Vec<String>| {
        let database = database.clone();
        // The database blocks, so it has a thread of its own.
        spawn_blocking(move || insert(&database, &chunk)).await?
    })
    .settle() // without it, the first failure would be the last transaction
    .await;

    for (chunk, error) in result.failures() {
        println!("rows {} to {}: {error}", chunk * 100 + 1, (chunk + 1) * 100);
    }
    let imported: usize = result.successful_results().sum();
    let there = database.begin_read()?.open_table(PRICES)?.len()?;
    println!("{imported} rows imported, {there} are there");
    Ok(())
}

/// Inserts all rows or none: a transaction that is dropped before it is committed has changed nothing.
fn insert(database: &Database, rows: &[String]) -> Result<usize, Error> {
    let transaction = database.begin_write()?;
    {
        let mut prices = transaction.open_table(PRICES)?;
        for row in rows {
            let (name, price) = row.split_once(';').ok_or("no price")?;
            let price: u64 = price.parse().map_err(|error| format!("{name}: {error}"))?;
            prices.insert(name, price)?;
        }
    }
    transaction.commit()?;
    Ok(rows.len())
}
