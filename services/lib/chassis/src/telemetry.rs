//! Sets up logs and traces once per process, and flushes them at the end.
//!
//! The OpenTelemetry layer is always there, so that every command has a trace id in its logs and its reply; an exporter
//! (OTLP over HTTP, protobuf) only where an endpoint is set. Logs go to standard error.

use std::{io::IsTerminal, time::Duration};

use opentelemetry::{KeyValue, trace::TracerProvider};
use opentelemetry_otlp::{ExporterBuildError, Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::{
    Resource,
    trace::{Sampler, SdkTracerProvider},
};
use tracing::{Level, Metadata};
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    filter::{FilterExt, FilterFn, ParseError},
    fmt::format::{Format, JsonFields},
    layer::SubscriberExt,
    util::{SubscriberInitExt, TryInitError},
};

use crate::{
    LogFormat, TelemetryConfig,
    logline::{JsonLine, PrettyLine},
};

const EXPORT_TIMEOUT: Duration = Duration::from_secs(5);

/// Holds the exporter; flush it before the process ends.
#[derive(Debug)]
pub struct Telemetry(SdkTracerProvider);

/// Why logs or traces could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter is not one.
    #[error("telemetry.log: {0}")]
    Filter(#[from] ParseError),
    /// The endpoint is not one.
    #[error("telemetry.otlp_endpoint: {0}")]
    Endpoint(#[from] ExporterBuildError),
    /// Called twice.
    #[error("logging was already set up: {0}")]
    Twice(#[from] TryInitError),
}

impl Telemetry {
    /// Installs the process' logging and tracing.
    ///
    /// # Errors
    /// A filter or endpoint that is not one.
    pub fn init(
        service: &'static str,
        version: &'static str,
        config: &TelemetryConfig,
        always: &[&str],
    ) -> Result<Self, TelemetryError> {
        let mut filter = EnvFilter::try_new(&config.log)?;
        for directive in always {
            filter = filter.add_directive(directive.parse()?);
        }
        let provider = provider(service, version, config)?;
        let spans = tracing_opentelemetry::layer().with_tracer(provider.tracer("queuegram"));
        // The filter is for lines: a warning needs its span's fields and trace id also where nothing milder is logged.
        let lines = lines(config.format).with_filter(filter.or(FilterFn::new(is_own_span)));
        tracing_subscriber::registry().with(lines).with(spans.with_filter(quiet())).try_init()?;
        std::panic::set_hook(Box::new(log_panic));
        Ok(Self(provider))
    }

    /// Sends what is buffered and closes the exporter. Blocks for a few seconds at most.
    pub fn flush(&self) {
        if let Err(error) = self.0.shutdown_with_timeout(EXPORT_TIMEOUT) {
            tracing::warn!(%error, "the last spans could not be exported");
        }
    }
}

fn provider(
    service: &'static str,
    version: &'static str,
    config: &TelemetryConfig,
) -> Result<SdkTracerProvider, ExporterBuildError> {
    let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(config.sample_ratio)));
    let resource = Resource::builder()
        .with_service_name(service)
        .with_attribute(KeyValue::new("service.version", version))
        .build();
    let builder = SdkTracerProvider::builder().with_sampler(sampler).with_resource(resource);
    if config.otlp_endpoint.is_empty() {
        return Ok(builder.build());
    }
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(format!("{}/v1/traces", config.otlp_endpoint.trim_end_matches('/')))
        .with_timeout(EXPORT_TIMEOUT)
        .build()?;
    Ok(builder.with_batch_exporter(exporter).build())
}

fn lines(format: LogFormat) -> Box<dyn Layer<Registry> + Send + Sync> {
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    match format {
        LogFormat::Json => {
            lines.fmt_fields(JsonFields::new()).event_format(JsonLine).with_ansi(false).boxed()
        }
        LogFormat::Pretty => {
            let colours = std::io::stderr().is_terminal();
            lines.event_format(PrettyLine(Format::default().compact())).with_ansi(colours).boxed()
        }
    }
}

fn is_own_span(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && *metadata.level() <= Level::INFO
}

/// Spans of libraries below are noise in a trace, and the exporter's own would never end.
fn quiet() -> tracing_subscriber::filter::Targets {
    use tracing::level_filters::LevelFilter;
    let libraries = ["hyper", "hyper_util", "reqwest", "h2", "tower", "opentelemetry", "lapin"];
    tracing_subscriber::filter::Targets::new()
        .with_default(LevelFilter::INFO)
        .with_targets(libraries.map(|name| (name, LevelFilter::OFF)))
}

fn log_panic(panic: &std::panic::PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let reason = panic.payload_as_str().unwrap_or("(no message)");
    tracing::error!(panic.location = place, panic.reason = reason, "panicked");
}
