//! What a comparison finds, and that lists are read to their end whatever they look like.
mod comparing;
mod reading;
