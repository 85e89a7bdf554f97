//! The listener: accepts, and can stop and start listening on its port.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use crate::routes;
use crate::shared::Shared;

const BACKLOG: u32 = 1024;

/// A command of the handle to the server.
pub(crate) enum Command {
    /// Stop listening and close every connection; new ones are refused.
    StopListening(oneshot::Sender<io::Result<()>>),
    /// Listen on the same port again.
    ListenAgain(oneshot::Sender<io::Result<()>>),
}

/// The port: open, or reserved so that no other program takes it.
enum Port {
    Open(TcpListener),
    Kept(TcpSocket),
    /// Neither worked; a later attempt may.
    Lost,
}

/// Serves until the sender of `commands` is dropped.
pub(crate) async fn run(
    shared: Arc<Shared>,
    listener: TcpListener,
    address: SocketAddr,
    mut commands: mpsc::UnboundedReceiver<Command>,
) {
    let mut port = Port::Open(listener);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            command = commands.recv() => match command {
                None => break,
                Some(Command::StopListening(done)) => {
                    let outcome = stop_listening(&mut port, address);
                    connections.shutdown().await;
                    let _ = done.send(outcome);
                }
                Some(Command::ListenAgain(done)) => {
                    let _ = done.send(listen_again(&mut port, address));
                }
            },
            accepted = accept(&port) => match accepted {
                Ok(stream) => {
                    connections.spawn(serve(Arc::clone(&shared), stream));
                }
                // Out of file descriptors, or a client that has left: go on in both cases.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
    connections.shutdown().await;
}

async fn accept(port: &Port) -> io::Result<TcpStream> {
    match port {
        Port::Open(listener) => listener.accept().await.map(|(stream, _)| stream),
        Port::Kept(_) | Port::Lost => std::future::pending().await,
    }
}

async fn serve(shared: Arc<Shared>, stream: TcpStream) {
    // Small answers are sent at once; a socket that refuses works all the same.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| routes::answer(Arc::clone(&shared), request));
    // A connection with an error was closed on purpose or by its client.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

fn stop_listening(port: &mut Port, address: SocketAddr) -> io::Result<()> {
    if let Port::Open(_) = port {
        *port = Port::Lost;
        *port = Port::Kept(bind(address)?);
    }
    Ok(())
}

fn listen_again(port: &mut Port, address: SocketAddr) -> io::Result<()> {
    let socket = match std::mem::replace(port, Port::Lost) {
        Port::Open(listener) => {
            *port = Port::Open(listener);
            return Ok(());
        }
        Port::Kept(socket) => socket,
        Port::Lost => bind(address)?,
    };
    *port = Port::Open(socket.listen(BACKLOG)?);
    Ok(())
}

pub(crate) fn bind(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

pub(crate) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    bind(address)?.listen(BACKLOG)
}
