//! The list for programs: one array of JSON, or CSV for a spreadsheet, written as it is read.
use std::io::Write;

use serde_json::Value;

use super::{
    Failure,
    line::{FIELDS, Line},
    list::Pages,
};

/// One array, an entry a line.
pub(super) async fn json(mut pages: Pages<'_>, out: &mut impl Write) -> Result<(), Failure> {
    write!(out, "[")?;
    let mut first = true;
    while let Some(page) = pages.next().await? {
        for entry in &page {
            let comma = if first { "" } else { "," };
            write!(out, "{comma}\n{}", Line::new(entry, pages.zone).json())?;
            first = false;
        }
    }
    writeln!(out, "{}]", if first { "" } else { "\n" })?;
    Ok(())
}

/// A header and a row an entry.
pub(super) async fn csv(mut pages: Pages<'_>, out: &mut impl Write) -> Result<(), Failure> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(FIELDS.iter().map(|(name, _)| name))?;
    while let Some(page) = pages.next().await? {
        for entry in &page {
            let line = Line::new(entry, pages.zone);
            writer.write_record(FIELDS.iter().map(|(_, value)| cell(&value(&line))))?;
        }
    }
    writer.flush()?;
    Ok(())
}

/// A value in a cell. What a spreadsheet would take for a formula becomes text.
pub(in crate::cli) fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) if text.starts_with(['=', '+', '-', '@']) => format!("'{text}"),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for formula in ["=1+1", "+1", "-A1", "@SUM(A1)"] {
            assert_eq!(cell(&json!(formula)), format!("'{formula}"));
        }
        assert_eq!(cell(&json!("A-1")), "A-1");
        assert_eq!(cell(&json!(1050)), "1050");
        assert_eq!(cell(&Value::Null), "");
    }
}
