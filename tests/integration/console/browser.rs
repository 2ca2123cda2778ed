//! A browser that keeps cookies, follows nothing by itself, and reads forms.

use std::collections::BTreeMap;
use std::sync::Mutex;

use reqwest::{Client, Method, RequestBuilder};

/// Somebody at the console.
pub struct Browser {
    client: Client,
    base_url: String,
    cookies: Mutex<BTreeMap<String, String>>,
    /// What it sends with every request
    pub headers: Vec<(&'static str, String)>,
}

/// What came back.
#[derive(Debug)]
pub struct Page {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

impl Page {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Where it leads.
    pub fn location(&self) -> &str {
        self.header("location")
    }

    /// The first value of a hidden member of a form.
    pub fn hidden(&self, name: &str) -> String {
        let begin = format!("name=\"{name}\" value=\"");
        let at = self.text.find(&begin).unwrap_or_else(|| panic!("no {name} in {}", self.text)) + begin.len();
        self.text[at..].split('"').next().unwrap().to_owned()
    }

    #[track_caller]
    pub fn shows(&self, text: &str) -> &Self {
        assert!(self.text.contains(text), "{} without {text:?}:\n{}", self.status, self.text);
        self
    }

    #[track_caller]
    pub fn lacks(&self, text: &str) -> &Self {
        assert!(!self.text.contains(text), "{} with {text:?}:\n{}", self.status, self.text);
        self
    }

    /// The lines that set this cookie.
    pub fn set_cookie(&self, name: &str) -> Option<String> {
        let mut lines = self.headers.get_all("set-cookie").iter().map(|line| line.to_str().unwrap());
        lines.rfind(|line| line.starts_with(&format!("{name}="))).map(str::to_owned)
    }
}

impl Browser {
    #[expect(clippy::disallowed_methods, reason = "a browser, not a client of a provider")]
    pub fn new(base_url: &str) -> Self {
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Browser { client, base_url: base_url.to_owned(), cookies: Mutex::default(), headers: Vec::new() }
    }

    pub fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.lock().unwrap().get(name).cloned()
    }

    pub fn set_cookie(&self, name: &str, value: &str) {
        self.cookies.lock().unwrap().insert(name.to_owned(), value.to_owned());
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let mut request = self.client.request(method, format!("{}{path}", self.base_url));
        let cookies = self.cookies.lock().unwrap();
        let line = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
        if !line.is_empty() {
            request = request.header("cookie", line);
        }
        self.headers.iter().fold(request, |request, (name, value)| request.header(*name, value))
    }

    async fn send(&self, request: RequestBuilder) -> Page {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        for line in headers.get_all("set-cookie") {
            let line = line.to_str().unwrap();
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            let mut cookies = self.cookies.lock().unwrap();
            if line.contains("Max-Age=0") {
                cookies.remove(name);
            } else {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        Page { status, headers, text: response.text().await.unwrap() }
    }

    pub async fn get(&self, path: &str) -> Page {
        self.send(self.request(Method::GET, path)).await
    }

    /// Sends a form as it stands there.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        let body = serde_urlencoded::to_string(fields).unwrap();
        let request = self.request(Method::POST, path).header("content-type", "application/x-www-form-urlencoded");
        self.send(request.body(body)).await
    }

    /// Sends a form with the token of the session.
    pub async fn act(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        let token = self.get("/console/submissions").await.hidden("token");
        let fields: Vec<(&str, &str)> = fields.iter().copied().chain([("token", token.as_str())]).collect();
        self.post(path, &fields).await
    }

    pub async fn sign_in(&self, key: &str, next: Option<&str>) -> Page {
        let fields: Vec<(&str, &str)> = [("key", key)].into_iter().chain(next.map(|next| ("next", next))).collect();
        self.post("/console/sign-in", &fields).await
    }
}
