//! Tables: CSV and Excel, as Markdown.

use std::io::Cursor;

use calamine::{Data, Range, Reader as _, open_workbook_auto_from_rs};

use crate::ExtractError;

/// A CSV file as one table.
pub(crate) fn csv(text: &str) -> Result<String, ExtractError> {
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut out = String::new();
    for (index, row) in reader.records().enumerate() {
        let row = row.map_err(|err| ExtractError::failed("CSV", err))?;
        let cells: Vec<String> =
            row.iter().map(|cell| cell.replace('\n', " ").replace('\r', "")).collect();
        out.push_str(&format!("| {} |\n", cells.join(" | ")));
        if index == 0 {
            let rules: Vec<String> =
                row.iter().map(|cell| "-".repeat(cell.chars().count())).collect();
            out.push_str(&format!("| {} |\n", rules.join(" | ")));
        }
    }
    Ok(out)
}

/// All sheets of a workbook, a table each.
pub(crate) fn excel(content: &[u8]) -> Result<String, ExtractError> {
    let mut book = open_workbook_auto_from_rs(Cursor::new(content))
        .map_err(|err| ExtractError::failed("Excel file", err))?;
    let mut out = String::new();
    for name in book.sheet_names() {
        // As in the reference, a sheet that cannot be read is left out.
        let Ok(range) = book.worksheet_range(&name) else { continue };
        if let Some(table) = table(&range) {
            out.push_str(&table);
            out.push_str("\n\n");
        }
    }
    Ok(out)
}

/// A sheet as pandas prints it: the first row names the columns, numbers of a column with gaps are floats.
fn table(range: &Range<Data>) -> Option<String> {
    let mut rows = range.rows();
    let header = rows.next()?;
    let rows: Vec<&[Data]> =
        rows.filter(|row| row.iter().any(|cell| !matches!(cell, Data::Empty))).collect();
    let mut names: Vec<String> = Vec::with_capacity(header.len());
    for (index, cell) in header.iter().enumerate() {
        let name = match cell {
            Data::Empty => format!("Unnamed: {index}"),
            other => shown(other, false),
        };
        let repeats = names.iter().filter(|it| **it == name).count();
        names.push(if repeats == 0 { name } else { format!("{name}.{repeats}") });
    }
    let is_float: Vec<bool> = (0..names.len())
        .map(|column| {
            let cells = || rows.iter().filter_map(|row| row.get(column));
            let is_number = |cell: &Data| matches!(cell, Data::Int(_) | Data::Float(_));
            let numbers_only = cells().all(|cell| is_number(cell) || matches!(cell, Data::Empty));
            let has_gap = cells().any(|cell| matches!(cell, Data::Empty));
            let has_fraction =
                cells().any(|cell| matches!(cell, Data::Float(number) if number.fract() != 0.0));
            numbers_only && (has_gap || has_fraction)
        })
        .collect();
    let rules: Vec<String> = names.iter().map(|name| "-".repeat(name.chars().count())).collect();
    let mut lines =
        vec![format!("| {} |", names.join(" | ")), format!("| {} |", rules.join(" | "))];
    for row in rows {
        let cells: Vec<String> = row
            .iter()
            .enumerate()
            .map(|(column, cell)| shown(cell, is_float.get(column).copied().unwrap_or(false)))
            .collect();
        lines.push(format!("| {} |", cells.join(" | ")));
    }
    Some(lines.join("\n"))
}

fn shown(cell: &Data, is_float: bool) -> String {
    match cell {
        Data::Empty => "nan".to_owned(),
        Data::String(text) => text.lines().collect::<Vec<_>>().join(" "),
        Data::Int(number) if is_float => format!("{number}.0"),
        Data::Int(number) => number.to_string(),
        Data::Float(number) if number.fract() == 0.0 && !is_float => format!("{number:.0}"),
        Data::Float(number) => format!("{number:?}"),
        Data::Bool(value) => if *value { "True" } else { "False" }.to_owned(),
        Data::DateTime(time) => {
            let (year, month, day, hour, minute, second, _) = time.to_ymd_hms_milli();
            format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
        }
        Data::DateTimeIso(text) | Data::DurationIso(text) => text.clone(),
        Data::Error(_) => "nan".to_owned(),
    }
}
