//! OpenTelemetry export.

use super::reasons::PROMETHEUS;
use crate::kind::{Flag, Float, Int, Text};

settings! {
    /// OpenTelemetry export.
    anywhere Observability {
        enable_otel: Flag = false, "Load the OTEL extension";
        otel_batch_export_schedule_delay: Int = 5000, "Batch span processor delay ms";
        otel_batch_export_timeout: Int = 10000, "Span export timeout ms";
        otel_exporter_otlp_protocol: Text = "http", "OTLP transport; only HTTP/protobuf is built in, with grpc nothing is exported (a warning says so)";
        otel_exporter_type: Text = "otlp", "Span exporter; only otlp is built in, with another nothing is exported (a warning says so)";
        otel_max_export_batch_size: Int = 512, "Span batch size";
        otel_max_queue_size: Int = 2048, "Span queue size";
        otel_metric_export_interval: Int = 60000, "Metric export interval ms", ignored PROMETHEUS;
        otel_metric_export_timeout: Int = 30000, "Metric export timeout ms", ignored PROMETHEUS;
        otel_sampling_rate: Float = 0.1, "Parent-based trace-id ratio";
        otlp_api_key: Text = "", "Sent as Authorization: Bearer";
        otlp_base_endpoint: Text = "http://localhost:4318", "OTLP collector base (also the gRPC endpoint)";
        otlp_metric_endpoint: Text = "", "HTTP metric endpoint; empty = OTLP_BASE_ENDPOINT + /v1/metrics", ignored PROMETHEUS;
        otlp_trace_endpoint: Text = "", "HTTP trace endpoint; empty = OTLP_BASE_ENDPOINT + /v1/traces";
    }
}
