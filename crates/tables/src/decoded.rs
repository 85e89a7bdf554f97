//! The text of a table as UTF-8, whatever it is encoded in.

use std::io::{self, BufRead as _, BufReader, Read, SeekFrom};

use encoding_rs::{Decoder, DecoderResult, UTF_16BE, UTF_16LE};

use crate::Source;

/// How the text of a table is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, with a byte order mark or without one.
    Utf8 {
        /// Whether it begins with a mark.
        marked: bool,
    },
    /// UTF-16 with its mark, the lower byte first.
    Utf16Little,
    /// UTF-16 with its mark, the higher byte first.
    Utf16Big,
}

/// The text of a source as UTF-8, whatever it is encoded in. Bytes that are not of the encoding become one
/// that is not of UTF-8, so that the row they stand in is found.
pub(crate) struct Decoded {
    source: BufReader<Box<dyn Source>>,
    pub(crate) encoding: Encoding,
    /// Whether there is nothing but a mark.
    pub(crate) is_empty: bool,
    /// How many quotes were read.
    pub(crate) quotes: usize,
    /// How many bytes were read, and the last of them.
    pub(crate) length: u64,
    pub(crate) last: u8,
    utf16: Option<Utf16>,
}

struct Utf16 {
    decoder: Decoder,
    text: Vec<u8>,
    read: usize,
    has_ended: bool,
}

/// Stands for what cannot be decoded.
const NO_TEXT: u8 = 0xff;

/// How much is decoded at once, in bytes.
const PIECE: usize = 8 * 1024;

impl Decoded {
    pub(crate) fn begin(mut source: Box<dyn Source>) -> io::Result<Self> {
        io::Seek::seek(&mut source, SeekFrom::Start(0))?;
        let mut mark = Vec::new();
        source.by_ref().take(3).read_to_end(&mut mark)?;
        let (encoding, length) = match &mark[..] {
            [0xef, 0xbb, 0xbf] => (Encoding::Utf8 { marked: true }, 3),
            [0xff, 0xfe, ..] => (Encoding::Utf16Little, 2),
            [0xfe, 0xff, ..] => (Encoding::Utf16Big, 2),
            _ => (Encoding::Utf8 { marked: false }, 0),
        };
        io::Seek::seek(&mut source, SeekFrom::Start(length))?;
        let decoder = match encoding {
            Encoding::Utf8 { .. } => None,
            Encoding::Utf16Little => Some(UTF_16LE.new_decoder_without_bom_handling()),
            Encoding::Utf16Big => Some(UTF_16BE.new_decoder_without_bom_handling()),
        };
        let mut source = BufReader::new(source);
        Ok(Self {
            is_empty: source.fill_buf()?.is_empty(),
            source,
            encoding,
            quotes: 0,
            length: 0,
            last: 0,
            utf16: decoder.map(|decoder| Utf16 {
                decoder,
                text: Vec::new(),
                read: 0,
                has_ended: false,
            }),
        })
    }

    /// The same from its beginning.
    pub(crate) fn again(self) -> io::Result<Self> {
        Self::begin(self.source.into_inner())
    }
}

impl Read for Decoded {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let length = match &mut self.utf16 {
            None => self.source.read(to)?,
            Some(utf16) => {
                while utf16.read == utf16.text.len() && !utf16.has_ended {
                    utf16.decode(&mut self.source)?;
                }
                let length = (&utf16.text[utf16.read..]).read(to)?;
                utf16.read += length;
                length
            }
        };
        self.length += length as u64;
        self.last = to[..length].last().copied().unwrap_or(self.last);
        self.quotes += to[..length].iter().filter(|byte| **byte == b'"').count();
        Ok(length)
    }
}

impl Utf16 {
    fn decode(&mut self, source: &mut BufReader<Box<dyn Source>>) -> io::Result<()> {
        let piece = source.fill_buf()?;
        let is_last = piece.is_empty();
        self.text.resize(4 * PIECE, 0);
        let (result, read, written) =
            self.decoder
                .decode_to_utf8_without_replacement(piece, &mut self.text, is_last);
        self.text.truncate(written);
        self.read = 0;
        match result {
            DecoderResult::Malformed(..) => self.text.push(NO_TEXT),
            DecoderResult::InputEmpty => self.has_ended = is_last,
            DecoderResult::OutputFull => {}
        }
        source.consume(read);
        Ok(())
    }
}
