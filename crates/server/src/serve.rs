//! Connections: HTTP/1.1, as the server we replace speaks it to its proxy.
//!
//! Telling HTTP/2 apart would cost every connection a second buffer, and there are as many connections as open streams.

use std::{convert::Infallible, io, net::SocketAddr, time::Duration};

use axum::{
    body::Body,
    extract::{ConnectInfo, Request},
    response::Response,
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tower::{Service, ServiceExt};

/// How long a connection may take to send the head of its next request, idle time included: longer than proxies keep
/// connections, so that they close first.
const HEAD: Duration = Duration::from_secs(300);

/// How long to wait for descriptors or memory before the next connection is taken.
const BREATH: Duration = Duration::from_millis(200);

/// Takes connections until `stop`, and answers what comes on them with `app`. The connections that are open then finish
/// their requests under [`GracefulShutdown::shutdown`].
pub async fn serve<S>(listener: TcpListener, app: S, stop: &CancellationToken) -> GracefulShutdown
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(HEAD);
    let open = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return open,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let answer = service_fn(answer(app.clone(), peer));
                let connection = server.serve_connection(ready(stream), answer);
                let connection = open.watch(connection);
                tokio::spawn(async move {
                    if let Err(err) = connection.await {
                        tracing::debug!(error = %err, %peer, "a connection broke");
                    }
                });
            }
            Err(err) if is_of_peer(&err) => {}
            Err(err) => {
                tracing::error!(error = %err, "connections cannot be taken");
                tokio::time::sleep(BREATH).await;
            }
        }
    }
}

fn ready(stream: TcpStream) -> TokioIo<TcpStream> {
    // Small frames of event streams must not wait for each other.
    let _ = stream.set_nodelay(true);
    TokioIo::new(stream)
}

fn answer<S>(app: S, peer: SocketAddr) -> impl Fn(hyper::Request<Incoming>) -> Answering<S>
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone,
{
    move |request| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        app.clone().oneshot(request)
    }
}

type Answering<S> = tower::util::Oneshot<S, Request>;

/// Whether only the connection that was to be accepted is at fault.
fn is_of_peer(err: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(err.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
