//! What both interfaces' requests have alike: the root element, credentials, and orders numbered 1…n.

use data_encoding::BASE64;

use super::encoder::OrderEncoder;
use super::profile;
use super::settings::{CredentialsIn, OtmsCredentials, OtmsSettings};
use crate::provider::xml::XmlWriter;
use crate::provider::{Batch, Encoding, Item, ItemEncoding, Request, Trace};

/// The requests' `version`; this is written against 0.1.
const VERSION: &str = "0.1";

/// The root element of a request.
pub struct Root<'a> {
    pub name: &'static str,
    /// `@source`, which stands for all orders of the request
    pub source: Option<&'a str>,
}

/// The request of a batch, each order written by `write_order`. Refused orders are left out, and the others
/// are numbered 1…n.
pub fn request(
    batch: &Batch<'_>,
    root: &Root<'_>,
    trace: &mut Trace,
    write_order: impl Fn(&mut OrderEncoder<'_, '_>, &Item<'_>),
) -> Encoding {
    let account = batch.account;
    let settings = OtmsSettings::of(account);
    let credentials = account.credentials.read::<OtmsCredentials>().ok();
    let Root { name, source } = root;
    let mut xml = XmlWriter::new(trace, batch.items.len());
    let mut secrets = Vec::new();
    xml.raw(&format!("<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?><{name} version=\"{VERSION}\""));
    if let (CredentialsIn::Document, Some(OtmsCredentials { username, password })) =
        (settings.credentials_in, &credentials)
    {
        xml.raw(" login=\"");
        xml.escaped_attribute(username);
        xml.raw("\" password=\"");
        let start = xml.position();
        xml.escaped_attribute(password);
        secrets.push(start..xml.position());
        xml.raw("\"");
    }
    if let Some(source) = source {
        xml.raw(" source=\"");
        xml.escaped_attribute(source);
        xml.raw("\"");
        xml.trace().carried(format!("/extensions/{}/source", profile::ID), || format!("{name}/@source"), None);
    }
    xml.raw("><orders>");
    let mut sequence = 0_usize;
    let items: Vec<ItemEncoding> = batch
        .items
        .iter()
        .map(|item| {
            let mark = xml.mark();
            xml.raw(&format!("<order sequence=\"{}\">", sequence + 1));
            let mut encoder = OrderEncoder { xml: &mut xml, account, encoding: ItemEncoding::default() };
            write_order(&mut encoder, item);
            let encoding = encoder.encoding;
            xml.raw("</order>");
            if encoding.refusals.is_empty() {
                sequence += 1;
            } else {
                xml.back_to(&mark);
            }
            encoding
        })
        .collect();
    xml.raw(&format!("</orders></{name}>"));
    let request = (sequence > 0).then(|| Request {
        method: batch.endpoint.method,
        url: account.url(batch.endpoint.path),
        headers: headers(&settings, credentials.as_ref()),
        secret_headers: &["authorization"],
        secret_parameters: &[],
        body: xml.into_bytes(),
        secrets,
    });
    Encoding { request, items }
}

fn headers(settings: &OtmsSettings, credentials: Option<&OtmsCredentials>) -> Vec<(&'static str, String)> {
    let mut headers =
        vec![("content-type", "application/xml; charset=UTF-8".to_owned()), ("accept", "application/xml".to_owned())];
    if let (CredentialsIn::Header, Some(OtmsCredentials { username, password })) =
        (settings.credentials_in, credentials)
    {
        let pair = BASE64.encode(format!("{username}:{password}").as_bytes());
        headers.push(("authorization", format!("Basic {pair}")));
    }
    headers
}
