//! The server's icon: a QR code whose last corner is a tick. It brings its own ground, so it fits
//! light and dark alike.
use std::sync::LazyLock;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use rmcp::model::Icon;

const SVG: &str = "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 48 48'>\
<rect width='48' height='48' rx='10' fill='#0b6e4f'/>\
<path d='M10 10h9v9h-9zm19 0h9v9h-9zM10 29h9v9h-9zm18 4 4 4 7-8' fill='none' stroke='#fff' stroke-width='3'/>\
</svg>";
/// The same at 48 pixels, for clients that draw no SVG.
const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAADAAAAAwAgMAAAAqbBEUAAAACVBMVEUAAAALbk////8Mb75WAAAAAXRSTlMAQObYZgAAAJBJREFUeNqtkr0RgCAMhWPhCO7jCBaGghHYhxEozJQmKkk4hcpUfHf5e+QBwIxXbAD6vgk1ACaD1bIkr4HFYB9CIsqB6GBAA3wBxhwKfkEUKF/Qr+nP8eB0/wDSegi83rMoQ/SQShXHwLmqNJCJO6JTSlyira/2FRLJ0PvjUUr0JDx/eKz+tRtTNHZpjeQsdgIBNdTVBgqEBQAAAABJRU5ErkJggg==";

/// What an address of data takes only in another form.
const PLAIN: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'%').add(b'<').add(b'>');

static ICONS: LazyLock<Vec<Icon>> = LazyLock::new(|| {
    let svg = format!("data:image/svg+xml,{}", utf8_percent_encode(SVG, PLAIN));
    let png = format!("data:image/png;base64,{PNG}");
    vec![
        Icon::new(svg).with_mime_type("image/svg+xml").with_sizes(vec!["any".to_owned()]),
        Icon::new(png).with_mime_type("image/png").with_sizes(vec!["48x48".to_owned()]),
    ]
});

pub(super) fn icons() -> Vec<Icon> {
    ICONS.clone()
}
