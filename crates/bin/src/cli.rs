use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use domain::access::Scope;

/// Takes in who brought a motorcycle to a dealer, and sends that person a WhatsApp message through
/// the dealer's own Fonnte account.
#[derive(Debug, Parser)]
#[command(name = "customer-service", version, after_help = EXAMPLES)]
pub(crate) struct Cli {
    /// What to do; `serve` when nothing is said.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

const EXAMPLES: &str = "\
Examples:
  customer-service                        serve with the settings of the environment and .env
  customer-service doctor                 find out why something does not work
  customer-service dealer add 0009999 --name 'Dealer Demo' --key-stdin < key.txt
  customer-service api-key create --name 'Dealer Demo' --dealer 0009999 --scope read,write > key.txt
  DATABASE_URL=postgresql://owner@db/app customer-service migrate

Settings come from environment variables; the README of crates/bin lists them.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve the API and deliver messages, until SIGTERM or Ctrl-C
    Serve,
    /// Bring the database up to date and stop
    #[command(
        after_help = "Example:\n  DATABASE_URL=postgresql://owner@db/app customer-service migrate"
    )]
    Migrate,
    /// Check database, schema, and every dealer's configuration and account at Fonnte
    ///
    /// Asks Fonnte for the device of each active dealer, a few at once; no message is sent.
    #[command(after_help = "\
Exit status 1 when something is wrong: also when an account's token is refused, its device is not
connected, its quota is used up, its package has ended, or Fonnte could not be asked in time.")]
    Doctor(Doctor),
    /// Make the counts of lists and statistics equal to the rows again, while the service runs
    ///
    /// Needed after rows were loaded without triggers (`pg_restore --data-only`, or a session with
    /// session_replication_role = replica). Reads all requests once; `doctor` says whether it is
    /// needed.
    #[command(
        after_help = "Example:\n  DATABASE_URL=postgresql://owner@db/app customer-service recount"
    )]
    Recount,
    /// Import a table of submissions: CSV, an Excel workbook, a JSON array or JSON lines
    ///
    /// Each row is stored once, also when the same file is imported again within 24 hours. Rows that are
    /// rejected go to FILE.rejected.csv, with their lines and the reasons in Indonesian; mend them there and
    /// import that file.
    #[command(after_help = "\
Exit status 0 when all rows were stored, 1 when some were rejected, 2 when the import did not come to its end.

Examples:
  customer-service import pelanggan.csv --dry-run
  customer-service import pelanggan.xlsx --dealer 0009999
  customer-service import pelanggan.csv --url https://customer.example --api-key-file key.txt")]
    Import(Import),
    /// Look after dealers
    Dealer {
        #[command(subcommand)]
        command: DealerCommand,
    },
    /// Look after the secrets that SECRETS_KEY seals
    Secrets {
        #[command(subcommand)]
        command: SecretsCommand,
    },
    /// Make, list and revoke the keys with which callers come in
    ApiKey {
        #[command(subcommand)]
        command: ApiKeyCommand,
    },
    /// Print the OpenAPI document
    #[command(after_help = "Example:\n  customer-service openapi > openapi.json")]
    Openapi,
    /// Ask the service that runs with these settings whether it is alive (for container health checks)
    #[command(after_help = "Example:\n  customer-service health --ready && echo ready")]
    Health {
        /// Ask whether it can do its work, not only whether the process lives
        #[arg(long)]
        ready: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Import {
    /// The table: .csv, .tsv, .txt, .xlsx, .xlsm, .json, .ndjson or .jsonl
    pub(crate) file: PathBuf,
    /// The dealer of rows that name none
    #[arg(long, value_name = "ID")]
    pub(crate) dealer: Option<String>,
    /// The template of rows that name none
    #[arg(long, value_name = "NAME")]
    pub(crate) template: Option<String>,
    /// Check everything and store nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Pass over so many rows, as an import that was stopped says
    #[arg(long, value_name = "ROWS", default_value_t = 0)]
    pub(crate) skip: usize,
    /// The key under which the rows are stored once; without it, one that follows from the file
    #[arg(long)]
    pub(crate) key: Option<String>,
    /// A running service to give the rows to; without it, they go into the database of the environment
    #[arg(long)]
    pub(crate) url: Option<String>,
    /// The file that holds the API key for that service
    #[arg(long, value_name = "FILE", requires = "url")]
    pub(crate) api_key_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// Compare all counts with the rows, however long it takes
    #[arg(long)]
    pub(crate) deep: bool,
    /// Ask nothing of Fonnte
    #[arg(long)]
    pub(crate) offline: bool,
    /// How long asking for all devices may take
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 60,
        value_parser = clap::value_parser!(u64).range(1..=86_400),
        conflicts_with = "offline"
    )]
    pub(crate) within: u64,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DealerCommand {
    /// Add a dealer to a stand-alone installation
    #[command(
        after_help = "Example:\n  customer-service dealer add 0009999 --name 'Dealer Demo' --key-stdin < key.txt"
    )]
    Add(AddDealer),
    /// List the dealers and whether their accounts can be used
    List,
    /// Set the Fonnte key, and optionally the address, of a dealer
    #[command(
        after_help = "Example:\n  customer-service dealer set-key 0009999 --key-stdin < key.txt"
    )]
    SetKey(SetKey),
    /// Test a dealer's Fonnte account; with --target, send one real message
    #[command(
        after_help = "Examples:\n  customer-service dealer test 0009999\n  customer-service dealer test 0009999 --target 081234567890"
    )]
    Test(TestDealer),
}

#[derive(Debug, Subcommand)]
pub(crate) enum SecretsCommand {
    /// Seal all secrets with the first key of SECRETS_KEY, so that the other keys can go
    ///
    /// Can be interrupted and repeated at will, and the service may run meanwhile. Exit status 1
    /// when a secret could not be opened, or not be written.
    #[command(
        after_help = "Example:\n  SECRETS_KEY=\"$NEW_KEY,$OLD_KEY\" customer-service secrets reseal"
    )]
    Reseal,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ApiKeyCommand {
    /// Make a key and print it, this once, alone on standard output
    #[command(after_help = "\
Examples:
  customer-service api-key create --name 'Dealer Demo' --dealer 0009999 --scope read,write
  customer-service api-key create --name 'Kantor pusat' --scope admin --expires-in 90d > key.txt
  customer-service api-key create --name 'Laporan' --scope read --expires-at 2027-01-31T00:00:00+07:00")]
    Create(CreateKey),
    /// List the keys, those in force first
    #[command(after_help = "Example:\n  customer-service api-key list")]
    List,
    /// Revoke a key; every copy of the service refuses it within 5 seconds
    #[command(after_help = "Example:\n  customer-service api-key revoke 3f9c1a7be2d40586")]
    Revoke(RevokeKey),
}

#[derive(Debug, Args)]
pub(crate) struct CreateKey {
    /// What people call it; the audit and the logs name it
    #[arg(long)]
    pub(crate) name: String,
    /// The dealer whose data it opens, and no other's; without it, head office's
    #[arg(long)]
    pub(crate) dealer: Option<String>,
    /// What it may be used for: several with commas, or given several times
    #[arg(long, required = true, value_enum, value_delimiter = ',')]
    pub(crate) scope: Vec<ScopeName>,
    /// From when on it is refused: RFC 3339 with an offset
    #[arg(long, conflicts_with = "expires_in")]
    pub(crate) expires_at: Option<String>,
    /// For how long it can be used, such as 12h, 90d or 2w
    #[arg(long)]
    pub(crate) expires_in: Option<String>,
}

/// [`Scope`] at the command line.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum ScopeName {
    /// Look at requests, messages and counts
    Read,
    /// Submit, send, stop and test messages
    Write,
    /// Everything; for head office only
    Admin,
}

impl From<ScopeName> for Scope {
    fn from(name: ScopeName) -> Self {
        match name {
            ScopeName::Read => Self::Read,
            ScopeName::Write => Self::Write,
            ScopeName::Admin => Self::Admin,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct RevokeKey {
    /// The key's id, as `api-key list` shows it
    pub(crate) id: String,
}

#[derive(Debug, Args)]
pub(crate) struct AddDealer {
    /// The dealer's number, 4 to 10 characters
    pub(crate) id: String,
    /// The dealer's name, as messages show it
    #[arg(long)]
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) key: KeyInput,
    /// The address of Fonnte's send call, when it is not the default one
    #[arg(long)]
    pub(crate) url: Option<String>,
    /// Succeed without a change when the dealer exists
    #[arg(long)]
    pub(crate) if_missing: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SetKey {
    /// The dealer's number
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) key: KeyInput,
    /// The address of Fonnte's send call
    #[arg(long)]
    pub(crate) url: Option<String>,
}

#[derive(Debug, Args)]
#[group(multiple = false)]
pub(crate) struct KeyInput {
    /// The device token of Fonnte; other users of this machine may see it in the list of processes
    #[arg(long)]
    key: Option<String>,
    /// Read the device token from standard input
    #[arg(long)]
    key_stdin: bool,
}

impl KeyInput {
    /// The key, where one is given.
    pub(crate) fn read(&self) -> std::io::Result<Option<secrecy::SecretString>> {
        let key = if self.key_stdin {
            let mut line = String::new();
            std::io::stdin().read_line(&mut line)?;
            Some(line.trim().to_owned())
        } else {
            self.key.clone()
        };
        Ok(key.map(secrecy::SecretString::from))
    }
}

#[derive(Debug, Args)]
pub(crate) struct TestDealer {
    /// The dealer's number
    pub(crate) id: String,
    /// Send one real test message to this Indonesian mobile number
    #[arg(long)]
    pub(crate) target: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
