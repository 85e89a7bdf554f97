//! The fields of a submission, and the rules for their texts.

use crate::requests::Fault;
#[cfg(doc)]
use crate::requests::Submission;
use crate::values::is_invisible;

named! {
    /// The fields of a submission, in the order in which faults are listed. Their names are part of stored
    /// fingerprints.
    #[derive(PartialOrd, Ord)]
    pub enum Field {
        /// [`Submission::customer_name`]
        CustomerName = "customer_name",
        /// [`Submission::phone`]
        Phone = "phone",
        /// [`Submission::unit_type`]
        UnitType = "unit_type",
        /// [`Submission::license_plate`]
        LicensePlate = "license_plate",
        /// [`Submission::created_time`]
        CreatedTime = "created_time",
        /// [`Submission::modified_time`]
        ModifiedTime = "modified_time",
        /// [`Submission::dealer_id`]
        DealerId = "dealer_id",
        /// [`Submission::template`]
        Template = "template",
        /// [`Submission::variables`]
        Variables = "variables",
        /// [`Submission::send_at`]
        SendAt = "send_at",
    }
}

/// Where a fault of a submission is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum FieldPath {
    /// In a field.
    Field(Field),
    /// In the text of a variable of [`Submission::variables`], by name.
    Variable(String),
}

impl From<Field> for FieldPath {
    fn from(field: Field) -> Self {
        Self::Field(field)
    }
}

impl FieldPath {
    /// The field that it is, or is in.
    #[must_use]
    pub const fn field(&self) -> Field {
        match self {
            Self::Field(field) => *field,
            Self::Variable(_) => Field::Variables,
        }
    }
}

impl Field {
    /// The least and the greatest number of Unicode characters; `None` where the form decides.
    #[must_use]
    pub const fn length(self) -> Option<(usize, usize)> {
        match self {
            Self::CustomerName => Some((1, 255)),
            Self::Phone => Some((8, 20)),
            Self::UnitType => Some((1, 100)),
            Self::LicensePlate => Some((1, 20)),
            Self::CreatedTime
            | Self::ModifiedTime
            | Self::Template
            | Self::Variables
            | Self::SendAt => None,
            Self::DealerId => Some((4, 10)),
        }
    }

    /// Checks the rules that all texts share: length, control characters, blankness.
    ///
    /// # Errors
    /// The first broken rule.
    pub fn check(self, text: &str) -> Result<(), Fault> {
        let (mut length, mut has_control, mut is_blank) = (0, false, true);
        for c in text.chars() {
            length += 1;
            has_control |= c.is_control();
            is_blank = is_blank && is_invisible(c);
        }
        if let Some((min, max)) = self.length() {
            if length < min {
                return Err(Fault::TooShort { min });
            }
            if length > max {
                return Err(Fault::TooLong { max });
            }
        }
        if has_control {
            return Err(Fault::ControlCharacter);
        }
        // An empty text, where no length forbids it, is left to the field's own parser.
        if length > 0 && is_blank {
            return Err(Fault::Blank);
        }
        Ok(())
    }
}
