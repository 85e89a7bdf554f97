//! Puts the static files into the program: each under a name that holds its hash, plain and compressed.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

/// The files, what they are, and the name of the constant that holds their path.
const FILES: [(&str, &str, &str); 3] = [
    ("console.css", "text/css; charset=utf-8", "STYLE"),
    ("console.js", "text/javascript; charset=utf-8", "SCRIPT"),
    ("icon.svg", "image/svg+xml", "ICON"),
];

fn main() {
    #[expect(
        clippy::disallowed_methods,
        reason = "cargo tells build scripts by variables"
    )]
    let out = env::var("OUT_DIR").expect("cargo sets it");
    let mut paths = String::new();
    let mut files = String::from("pub(crate) static FILES: &[File] = &[\n");
    for (name, kind, constant) in FILES {
        let source = format!("assets/{name}");
        println!("cargo::rerun-if-changed={source}");
        let bytes = fs::read(&source).expect("the file is here");
        let hash = hex::encode(&Sha256::digest(&bytes)[..8]);
        let (stem, ending) = name.split_once('.').expect("a name and an ending");
        let hashed = format!("{stem}.{hash}.{ending}");
        let packed = format!("{hashed}.gz");
        fs::write(Path::new(&out).join(&hashed), &bytes).expect("it can be written");
        fs::write(Path::new(&out).join(&packed), gzip(&bytes)).expect("it can be written");
        let _ = writeln!(
            paths,
            "pub(crate) const {constant}: &str = \"/console/static/{hashed}\";"
        );
        let _ = writeln!(
            files,
            "    File {{ name: {hashed:?}, kind: {kind:?}, \
             plain: include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{hashed}\")), \
             gzip: include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{packed}\")) }},"
        );
    }
    files.push_str("];\n");
    fs::write(Path::new(&out).join("assets.rs"), paths + &files).expect("it can be written");
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).expect("a vector takes it");
    encoder.finish().expect("a vector takes it")
}
