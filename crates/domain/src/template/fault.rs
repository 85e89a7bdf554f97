use super::{
    FONNTE_CHARACTERS, MAX_DEFAULT_CHARACTERS, MAX_TEMPLATE_CHARACTERS, MAX_VARIABLES,
    WHATSAPP_CHARACTERS,
};

/// What is wrong with a template. Positions are Unicode characters from 0.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateFault {
    /// There is no text.
    #[error("the template is empty")]
    Empty,
    /// There is more text than [`MAX_TEMPLATE_CHARACTERS`].
    #[error("the template has more than {MAX_TEMPLATE_CHARACTERS} characters")]
    TooLong,
    /// Nobody would see anything of the message.
    #[error("the template is blank")]
    Blank,
    /// A control character that is neither an end of line nor a tab.
    #[error("control character at character {position}")]
    ControlCharacter {
        /// Where it is, or where the place begins whose default has it.
        position: usize,
    },
    /// Something in braces that is not the name of a place.
    #[error("unknown place {{{name}}} at character {position}")]
    UnknownPlace {
        /// What stands between the braces.
        name: String,
        /// Where the brace is.
        position: usize,
    },
    /// A default has more characters than [`MAX_DEFAULT_CHARACTERS`].
    #[error("default of more than {MAX_DEFAULT_CHARACTERS} characters at character {position}")]
    DefaultTooLong {
        /// Where the brace is.
        position: usize,
    },
    /// One more variable than [`MAX_VARIABLES`].
    #[error("more than {MAX_VARIABLES} variables at character {position}")]
    TooManyVariables {
        /// Where the brace is.
        position: usize,
    },
    /// A brace that is neither doubled nor has its partner.
    #[error("single brace at character {position}; a literal brace is written twice")]
    SingleBrace {
        /// Where the brace is.
        position: usize,
    },
    /// With the longest values the message would have more characters than [`FONNTE_CHARACTERS`].
    #[error("the longest possible message has more than {FONNTE_CHARACTERS} characters")]
    MessageTooLong,
}

impl TemplateFault {
    /// Where it is; 0 where it is about the whole text.
    #[must_use]
    pub const fn position(&self) -> usize {
        match self {
            Self::Empty | Self::Blank | Self::MessageTooLong => 0,
            Self::TooLong => MAX_TEMPLATE_CHARACTERS,
            Self::ControlCharacter { position }
            | Self::UnknownPlace { position, .. }
            | Self::DefaultTooLong { position }
            | Self::TooManyVariables { position }
            | Self::SingleBrace { position } => *position,
        }
    }
}

/// What a template's author should know; it can be saved all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TemplateWarning {
    /// WhatsApp may cut a message with the longest values.
    #[error(
        "The longest possible message has {characters} characters; WhatsApp shows {WHATSAPP_CHARACTERS}"
    )]
    LongMessage {
        /// Of the longest message.
        characters: usize,
    },
    /// The message begins with a value.
    #[error("A variable stands at the very beginning")]
    BeginsWithPlace,
    /// The message ends with a value.
    #[error("A variable stands at the very end")]
    EndsWithPlace,
}
