//! PDF: the text of all pages, in the order in which it is drawn.

use hayro_interpret::{
    BlendMode, ClipPath, Context, Device, DrawMode, DrawProps, Image, ImageDrawProps,
    InterpreterCache, InterpreterSettings, SoftMask,
    font::GlyphRun,
    hayro_cmap::BfString,
    hayro_syntax::Pdf,
    interpret_page,
    kurbo::{Affine, BezPath, Point, Rect},
};

/// Pages that are read.
const MOST_PAGES: usize = 5000;

/// The text of all pages. Pages follow each other without anything between, as in the reference.
pub(crate) fn text(content: &[u8]) -> Result<String, String> {
    let content = content.to_vec();
    // The reader of PDFs is not ours: a fault in it must cost this document only.
    let read = std::panic::catch_unwind(move || {
        let pdf = Pdf::new(content).map_err(|err| format!("{err:?}"))?;
        let mut text = String::new();
        for page in pdf.pages().iter().take(MOST_PAGES) {
            let cache = InterpreterCache::new();
            let area = Rect::new(0.0, 0.0, 1.0, 1.0);
            let settings = InterpreterSettings::default();
            let mut context = Context::new(Affine::IDENTITY, area, &cache, pdf.xref(), settings);
            let mut words = Words::default();
            interpret_page(page, &mut context, &mut words);
            text.push_str(words.text.trim_end());
        }
        Ok(text)
    });
    read.unwrap_or_else(|_| Err("the document cannot be read".to_owned()))
}

/// Collects what is written and breaks lines where the pen moves away.
#[derive(Default)]
struct Words {
    text: String,
    /// Where the last character was drawn, and how wide characters are thereabouts.
    last: Option<(Point, f64)>,
}

impl Words {
    fn draw(&mut self, at: Point, size: f64, piece: &str) {
        if let Some((last, width)) = self.last {
            let (dx, dy) = (at.x - last.x, (at.y - last.y).abs());
            let line = size.max(1.0) * 0.5;
            if dy > line || dx < -size.max(1.0) * 2.0 {
                let kept = self.text.trim_end_matches(' ').len();
                self.text.truncate(kept);
                self.text.push_str("\r\n");
            } else if dx > width.max(size * 0.2) + size * 0.65
                && !self.text.ends_with(char::is_whitespace)
                && !piece.starts_with(char::is_whitespace)
            {
                self.text.push(' ');
            }
        }
        self.text.push_str(piece);
        self.last = Some((at, size * 0.3));
    }
}

impl Device<'_> for Words {
    fn draw_path(&mut self, _: &BezPath, _: DrawProps<'_>, _: &DrawMode) {}
    fn push_clip_path(&mut self, _: &ClipPath) {}
    fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'_>>, _: BlendMode) {}

    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, '_>, props: DrawProps<'_>, _: &DrawMode) {
        for glyph in run.glyphs() {
            let piece = match glyph.as_unicode() {
                Some(BfString::Char(c)) => c.to_string(),
                Some(BfString::String(text)) => text,
                None => continue,
            };
            let transform = props.transform * glyph.transform();
            let at = transform * Point::ZERO;
            // Glyphs are drawn in units of a thousandth of their size.
            let size = transform.determinant().abs().sqrt() * 1000.0;
            self.draw(at, size, &piece);
        }
    }

    fn draw_image(&mut self, _: Image<'_, '_>, _: ImageDrawProps<'_>) {}
    fn pop_clip(&mut self) {}
    fn pop_transparency_group(&mut self) {}
}
