use std::fmt::{Display, Write as _};

/// Prometheus text of values that are read at a scrape.
#[derive(Default)]
pub(super) struct Text(String);

impl Text {
    /// A gauge with one value.
    pub(super) fn gauge(&mut self, name: &str, help: &str, value: impl Display) {
        self.gauges(name, help, &[(String::new(), value)]);
    }

    /// A gauge with a value for each label set, such as `state="QUEUED"`; nothing without one.
    pub(super) fn gauges(&mut self, name: &str, help: &str, values: &[(String, impl Display)]) {
        self.family("gauge", name, help, values);
    }

    /// A value that only grows.
    pub(super) fn counter(&mut self, name: &str, help: &str, value: impl Display) {
        self.family("counter", name, help, &[(String::new(), value)]);
    }

    fn family(&mut self, kind: &str, name: &str, help: &str, values: &[(String, impl Display)]) {
        if values.is_empty() {
            return;
        }
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for (labels, value) in values {
            let _ = if labels.is_empty() {
                writeln!(self.0, "{name} {value}")
            } else {
                writeln!(self.0, "{name}{{{labels}}} {value}")
            };
        }
    }

    pub(super) fn finish(self) -> String {
        self.0
    }
}
