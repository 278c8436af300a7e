//! Log lines: collected from events, written as text in Python's pattern language or as JSON.

mod file;
mod json;
mod pattern;
mod record;
mod text;

use std::cell::RefCell;
use std::io::Write as _;
use std::sync::{Mutex, OnceLock};

use chrono::Utc;
use config::Config;
use opentelemetry::trace::TraceContextExt as _;
use tracing::dispatcher::WeakDispatch;
use tracing::span::{Attributes, Id, Record as Values};
use tracing::{Dispatch, Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context as LayerContext;
use tracing_subscriber::registry::LookupSpan;

use crate::InitError;
use crate::request::Context;
use file::RotatingFile;
use record::{ContextVisitor, Record};

enum Format {
    Text(text::TextFormat),
    Json(json::JsonFormat),
}

/// Writes every event of its filter to standard output and, if there is one, to the log file.
pub(crate) struct LogLayer {
    format: Format,
    file: Option<Mutex<RotatingFile>>,
    /// With exported traces lines carry the exported ids, which are asked of the whole subscriber.
    exports: bool,
    dispatch: OnceLock<WeakDispatch>,
}

impl LogLayer {
    pub(crate) fn new(config: &Config, exports: bool) -> Result<Self, InitError> {
        let settings = &config.feature;
        let format = if settings.log_output_format == "json" {
            Format::Json(json::JsonFormat::new(&config.deploy.application_name))
        } else {
            Format::Text(text::TextFormat::new(
                &settings.log_format,
                settings.log_dateformat.as_deref(),
                settings.log_tz.as_deref(),
            )?)
        };
        let file = match &settings.log_file {
            Some(path) => {
                let limit = u64::try_from(settings.log_file_max_size).unwrap_or(1) * 1024 * 1024;
                let backups = u32::try_from(settings.log_file_backup_count).unwrap_or(1);
                let file = RotatingFile::open(path.into(), limit, backups)
                    .map_err(|source| InitError::File { path: path.clone(), source })?;
                Some(Mutex::new(file))
            }
            None => None,
        };
        Ok(Self { format, file, exports, dispatch: OnceLock::new() })
    }

    fn exported_ids(&self, span: &Id) -> Option<(String, String)> {
        let dispatch = self.dispatch.get()?.upgrade()?;
        let context = tracing_opentelemetry::get_otel_context(span, &dispatch)?;
        let span = context.span();
        let ids = span.span_context();
        ids.is_valid().then(|| (ids.trace_id().to_string(), ids.span_id().to_string()))
    }

    /// Appends the line, with its line break.
    fn format(&self, record: &Record, line: &mut String) {
        match &self.format {
            Format::Text(format) => format.write(record, line),
            Format::Json(format) => format.write(record, line),
        }
        line.push('\n');
    }

    fn write(&self, line: &str) {
        // A log that cannot be written is no reason to stop serving.
        let _ = std::io::stdout().lock().write_all(line.as_bytes());
        if let Some(file) = &self.file
            && let Ok(mut file) = file.lock()
        {
            file.write(line.as_bytes());
        }
    }
}

impl<S> Layer<S> for LogLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_register_dispatch(&self, dispatch: &Dispatch) {
        // Set once: the process has one subscriber.
        let _ = self.dispatch.set(dispatch.downgrade());
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, ctx: LayerContext<'_, S>) {
        // Only request spans have these fields; the rest of the spans costs a comparison.
        if attributes.metadata().target() != crate::request::TARGET {
            return;
        }
        let mut context = Context::default();
        attributes.record(&mut ContextVisitor(&mut context));
        if let Some(span) = ctx.span(id) {
            span.extensions_mut().insert(context);
        }
    }

    fn on_record(&self, id: &Id, values: &Values<'_>, ctx: LayerContext<'_, S>) {
        if let Some(span) = ctx.span(id)
            && let Some(context) = span.extensions_mut().get_mut::<Context>()
        {
            values.record(&mut ContextVisitor(context));
        }
    }

    fn on_event(&self, event: &Event<'_>, ctx: LayerContext<'_, S>) {
        thread_local! {
            static LINE: RefCell<String> = const { RefCell::new(String::new()) };
        }
        let mut record = Record::of(event, Utc::now());
        if let Some(span) = ctx.event_span(event) {
            record.context = Context::around(&span).unwrap_or_default();
            if self.exports
                && let Some((trace, span)) = self.exported_ids(&span.id())
            {
                record.context.trace_id = trace;
                record.span_id = span;
            }
        }
        LINE.with(|line| match line.try_borrow_mut() {
            Ok(mut line) => {
                line.clear();
                self.format(&record, &mut line);
                self.write(&line);
            }
            // A value whose text logs something itself.
            Err(_) => {
                let mut line = String::new();
                self.format(&record, &mut line);
                self.write(&line);
            }
        });
    }
}
