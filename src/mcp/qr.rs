//! QR codes, as a picture for agents and as modules for terminals.
use png::{BitDepth, ColorType, Compression, Encoder};
use qrcode::{Color, EcLevel, QrCode};

/// Modules of nothing around a code, without which scanners do not find it.
const QUIET_ZONE: usize = 4;
/// Pixels that a picture has at least on each side.
const LEAST_PIXELS: usize = 300;

/// The code of a text; none for one that is too long (more than some 2,300 bytes).
pub fn code(text: &str) -> Option<QrCode> {
    QrCode::with_error_correction_level(text, EcLevel::M).ok()
}

/// The code of a text as a PNG, black on white, each module a square of whole pixels.
pub(super) fn png(text: &str) -> Option<Vec<u8>> {
    let code = code(text)?;
    let modules = code.width().saturating_add(2 * QUIET_ZONE);
    let scale = LEAST_PIXELS.div_ceil(modules);
    let side = modules.saturating_mul(scale);
    let dark = |x: usize, y: usize| {
        let at = |it: usize| (it / scale).checked_sub(QUIET_ZONE).filter(|it| *it < code.width());
        at(x).zip(at(y)).is_some_and(|at| code[at] == Color::Dark)
    };
    // One bit a pixel, 1 is white, each row filled up to whole bytes.
    let bits = |y: usize, byte: usize| {
        (0..8).fold(0, |bits, bit| bits << 1 | u8::from(!dark(byte.saturating_mul(8) + bit, y)))
    };
    let rows = (0..side).flat_map(|y| (0..side.div_ceil(8)).map(move |byte| (y, byte)));
    let pixels: Vec<u8> = rows.map(|(y, byte)| bits(y, byte)).collect();
    let side = u32::try_from(side).ok()?;
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, side, side);
    encoder.set_color(ColorType::Grayscale);
    encoder.set_depth(BitDepth::One);
    encoder.set_compression(Compression::High);
    let mut writer = encoder.write_header().ok()?;
    writer.write_image_data(&pixels).ok()?;
    writer.finish().ok()?;
    Some(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_sharp_at_300_pixels_and_small() {
        for (length, most) in [(1, 1000), (60, 1500), (512, 2500)] {
            let file = png(&"x".repeat(length)).unwrap();
            assert!(file.len() < most, "{length}: {} bytes", file.len());
            let reader = png::Decoder::new(std::io::Cursor::new(&file)).read_info().unwrap();
            let (width, height) = reader.info().size();
            assert!((300..600).contains(&width) && width == height, "{length}: {width}");
        }
    }

    #[test]
    fn what_is_too_long_for_a_code_has_none() {
        assert!(code(&"x".repeat(2331)).is_some());
        assert_eq!(png(&"x".repeat(2332)), None);
    }
}
