//! A connection on which a test sends what it wants, as slowly as it wants.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::ADMIN_KEY;

/// How long a test waits for something to happen on a connection.
const PATIENCE: Duration = Duration::from_secs(40);

/// A connection.
pub struct RawConnection {
    pub stream: TcpStream,
}

/// What came back on one.
#[derive(Debug)]
pub struct RawAnswer {
    pub status: u16,
    /// Names in lower case
    pub headers: HashMap<String, String>,
    pub body: Value,
}

impl RawConnection {
    pub async fn open(base_url: &str) -> Self {
        RawConnection { stream: TcpStream::connect(base_url.trim_start_matches("http://")).await.unwrap() }
    }

    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Asks for something that anyone may have.
    pub async fn get(&mut self, path: &str) -> RawAnswer {
        self.send(format!("GET {path} HTTP/1.1\r\nhost: onelane\r\n\r\n")).await;
        self.answer().await
    }

    /// The head of a POST with the administrator's key, whose body follows.
    pub async fn post_head(&mut self, path: &str, length: usize, further: &str) {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: onelane\r\nauthorization: Bearer {ADMIN_KEY}\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n{further}\r\n"
        );
        self.send(head).await;
    }

    /// Reads one answer whose length is said.
    pub async fn answer(&mut self) -> RawAnswer {
        tokio::time::timeout(PATIENCE, self.read_answer()).await.expect("no answer").expect("it ended before an answer")
    }

    /// The same; nothing when the connection ended before.
    pub async fn answer_if_any(&mut self) -> Option<RawAnswer> {
        tokio::time::timeout(PATIENCE, self.read_answer()).await.expect("neither an answer nor an end")
    }

    async fn read_answer(&mut self) -> Option<RawAnswer> {
        let mut bytes = Vec::new();
        let end = loop {
            if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                break end;
            }
            bytes.push(self.stream.read_u8().await.ok()?);
        };
        let head = std::str::from_utf8(&bytes[..end]).unwrap();
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers: HashMap<String, String> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
            .collect();
        let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await.ok()?;
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        Some(RawAnswer { status, headers, body })
    }

    /// Waits until the other side closes; gives how many bytes came before.
    pub async fn end(&mut self) -> usize {
        let reading = async {
            let (mut buffer, mut total) = (vec![0; 64 * 1024], 0);
            // A reset is an end, too.
            while let Ok(read @ 1..) = self.stream.read(&mut buffer).await {
                total += read;
            }
            total
        };
        tokio::time::timeout(PATIENCE, reading).await.expect("it did not end")
    }

    /// Whether anything came that was not read yet.
    pub fn is_silent(&self) -> bool {
        let mut buffer = [0; 1];
        self.stream.try_read(&mut buffer).is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
    }
}
