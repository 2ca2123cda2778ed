//! Connections that a fault can cut. HTTP has no answer that means "the connection broke", and
//! hyper sends its own for every handler that returns; so the cut is made below it, in the stream
//! that it reads and writes.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Before anything that is not sent yet; the peer sees an end of stream (FIN).
    Close,
    /// Like [`Cut::Close`], with a reset (RST), as from a host that knows nothing of the connection.
    Reset,
    /// As soon as all that hyper has written is sent.
    CloseAfterWritten,
}

/// The switch that cuts one connection. Requests find it in their `ConnectInfo`, unless they come
/// in process.
#[derive(Debug, Clone, Default)]
pub struct Line(Arc<AtomicU8>);

impl Line {
    /// Takes effect when hyper next writes or flushes. It does both at once for a handler that
    /// returns, so nobody needs waking.
    pub fn cut(&self, cut: Cut) {
        let state = match cut {
            Cut::Close => CLOSED,
            Cut::Reset => RESET,
            Cut::CloseAfterWritten => CLOSING,
        };
        self.0.store(state, Ordering::Release);
    }

    fn state(&self) -> u8 {
        self.0.load(Ordering::Acquire)
    }
}

/// [`Line`] begins at 0, open.
const CLOSING: u8 = 1;
const CLOSED: u8 = 2;
const RESET: u8 = 3;

/// Why hyper can neither write nor flush any more. It drops the stream for it.
fn cut_off() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "cut by a fault of the sandbox")
}

/// A listener whose connections have a [`Line`].
pub struct CuttableListener(pub TcpListener);

impl Listener for CuttableListener {
    type Io = CuttableStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (CuttableStream, SocketAddr) {
        // Through the trait, which sees to errors of accepting.
        let (stream, address) = Listener::accept(&mut self.0).await;
        (CuttableStream { stream, line: Line::default() }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl Connected<IncomingStream<'_, CuttableListener>> for Line {
    fn connect_info(stream: IncomingStream<'_, CuttableListener>) -> Self {
        stream.io().line.clone()
    }
}

pub struct CuttableStream {
    stream: TcpStream,
    line: Line,
}

impl CuttableStream {
    fn check(&self) -> io::Result<()> {
        match self.line.state() {
            CLOSED => Err(cut_off()),
            RESET => {
                // With no time to linger in, closing the socket sends a reset.
                self.stream.set_zero_linger()?;
                Err(cut_off())
            }
            _ => Ok(()),
        }
    }
}

impl AsyncRead for CuttableStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for CuttableStream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_write_vectored(context, buffers)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        // hyper flushes when it has nothing left to write.
        if flushed.is_ready() && self.line.state() == CLOSING {
            return Poll::Ready(Err(cut_off()));
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
