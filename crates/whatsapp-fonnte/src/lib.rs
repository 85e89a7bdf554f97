//! whatsapp-fonnte
