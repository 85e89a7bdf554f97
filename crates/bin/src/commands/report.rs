//! Lines that people read: aligned, with a colour for how good the news is.

use crate::output::say;
use anstyle::{AnsiColor, Style};

/// How good the news is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    Good,
    /// Worth a look, but nothing is broken.
    Odd,
    Bad,
}

/// One line: a mark, a name, and what was found.
pub(super) fn line(news: News, name: &str, finding: &str) {
    let (mark, color) = match news {
        News::Good => ("ok", AnsiColor::Green),
        News::Odd => ("look", AnsiColor::Yellow),
        News::Bad => ("BAD", AnsiColor::Red),
    };
    let style = Style::new().fg_color(Some(color.into())).bold();
    say!("{style}{mark:<5}{style:#}{name:<22} {finding}");
}
