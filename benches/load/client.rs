//! A caller that costs little: one connection, one request after the other, written and read in one piece each.

use std::fmt::Write as _;
use std::net::SocketAddr;

use bytes::{Bytes, BytesMut};
use hyper::{Method, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Headers of an answer at most.
const MOST_HEADERS: usize = 32;
/// Bytes of an answer that are expected.
const ANSWER: usize = 16 * 1024;

pub struct Connection {
    stream: TcpStream,
    /// The headers of every request
    headers: String,
    /// What was read and not taken yet
    read: BytesMut,
}

impl Connection {
    pub async fn open(address: SocketAddr, key: &str) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let mut headers = format!("host: {address}\r\n");
        if !key.is_empty() {
            let _ = write!(headers, "authorization: Bearer {key}\r\n");
        }
        Connection { stream, headers, read: BytesMut::with_capacity(ANSWER) }
    }

    pub async fn post(&mut self, path: &str, body: impl AsRef<[u8]>, headers: &[(&str, &str)]) -> (StatusCode, Bytes) {
        self.send(Method::POST, path, body.as_ref(), headers).await
    }

    pub async fn get(&mut self, path: &str) -> (StatusCode, Bytes) {
        self.send(Method::GET, path, &[], &[]).await
    }

    pub async fn send(
        &mut self,
        method: Method,
        path: &str,
        body: &[u8],
        headers: &[(&str, &str)],
    ) -> (StatusCode, Bytes) {
        let mut request = format!("{method} {path} HTTP/1.1\r\n{}content-length: {}\r\n", self.headers, body.len());
        if !body.is_empty() {
            request.push_str("content-type: application/json\r\n");
        }
        for (name, value) in headers {
            let _ = write!(request, "{name}: {value}\r\n");
        }
        request.push_str("\r\n");
        let mut request = request.into_bytes();
        request.extend_from_slice(body);
        self.stream.write_all(&request).await.unwrap();
        let (status, head, length) = loop {
            if let Some(answer) = self.head() {
                break answer;
            }
            self.read_more().await;
        };
        while self.read.len() < head + length {
            self.read_more().await;
        }
        let mut answer = self.read.split_to(head + length);
        (status, answer.split_off(head).freeze())
    }

    async fn read_more(&mut self) {
        self.read.reserve(ANSWER);
        assert_ne!(self.stream.read_buf(&mut self.read).await.unwrap(), 0, "the connection was closed");
    }

    /// The status of an answer, the length of its head, and that of its body, once its head is there.
    fn head(&self) -> Option<(StatusCode, usize, usize)> {
        let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
        let mut answer = httparse::Response::new(&mut headers);
        let httparse::Status::Complete(head) = answer.parse(&self.read).unwrap() else { return None };
        let length = answer.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
        let length = std::str::from_utf8(length.expect("the answer has a length").value).unwrap().parse().unwrap();
        Some((StatusCode::from_u16(answer.code.unwrap()).unwrap(), head, length))
    }
}
