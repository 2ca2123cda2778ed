//! Bodies that nobody should trust. They are made from the bytes alone, whatever the provider's
//! documents look like; for a document that is not XML some of them are just rubbish around it.

use axum::http::StatusCode;

/// 错误 in GBK; not UTF-8.
const ERROR_IN_GBK: [u8; 4] = [0xB4, 0xED, 0xCE, 0xF3];

/// Declares entities and uses none.
pub fn with_doctype(document: &[u8]) -> Vec<u8> {
    let root = Root::of(document);
    let entities = r#"<!ENTITY file SYSTEM "file:///etc/hostname"><!ENTITY text "harmless">"#;
    [root.before, format!("<!DOCTYPE {} [{entities}]>", root.name).as_bytes(), root.rest].concat()
}

/// "A billion laughs": nine entities, each of them ten times the one before, and the last in the
/// root.
pub fn with_entity_bomb(document: &[u8]) -> Vec<u8> {
    let root = Root::of(document);
    let mut entities = r#"<!ENTITY l0 "lol">"#.to_owned();
    for n in 1..=9 {
        let tenfold = format!("&l{};", n - 1).repeat(10);
        entities.extend([r"<!ENTITY l", &n.to_string(), r#" ""#, &tenfold, r#"">"#]);
    }
    let doctype = format!("<!DOCTYPE {} [{entities}]>", root.name);
    let after_tag = root.rest.iter().position(|it| *it == b'>').map_or(0, |at| at + 1);
    let (tag, within) = root.rest.split_at(after_tag);
    [root.before, doctype.as_bytes(), tag, b"&l9;", within].concat()
}

/// Declares GBK and puts two bytes of its range in the place of each character beyond ASCII, with
/// a comment of such bytes at the end in case there are none.
pub fn as_if_gbk(document: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(document).replacen("encoding=\"UTF-8\"", "encoding=\"GBK\"", 1);
    let mut bytes = Vec::with_capacity(text.len() + 16);
    for character in text.chars() {
        match u8::try_from(character) {
            Ok(ascii) if ascii.is_ascii() => bytes.push(ascii),
            // Which characters these are does not matter: they are not UTF-8.
            _ => bytes.extend_from_slice(&ERROR_IN_GBK[..2]),
        }
    }
    [&bytes[..], b"<!--", &ERROR_IN_GBK, b"-->"].concat()
}

/// What a proxy in front of the provider might say.
pub fn html_page(status: StatusCode) -> String {
    format!(
        "<!DOCTYPE html>\n<html>\n<head><title>{status}</title><meta charset=\"utf-8\"></head>\n\
         <body>\n<center><h1>{status}</h1></center>\n<hr><center>nginx<br></center>\n</body>\n</html>\n"
    )
}

/// An XML document cut before its root element.
struct Root<'a> {
    /// The declaration, if there is one.
    before: &'a [u8],
    name: &'a str,
    rest: &'a [u8],
}

impl<'a> Root<'a> {
    /// Whatever is no XML is taken as all root.
    fn of(document: &'a [u8]) -> Self {
        let is_root = |pair: &[u8]| matches!(pair, [b'<', letter] if letter.is_ascii_alphabetic());
        let start = document.windows(2).position(is_root).unwrap_or(0);
        let (before, rest) = document.split_at(start);
        let name = rest.get(1..).unwrap_or_default();
        let length = name.iter().take_while(|it| it.is_ascii_alphanumeric()).count();
        let name = std::str::from_utf8(&name[..length]).unwrap_or_default();
        Self { before, name: if name.is_empty() { "answer" } else { name }, rest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &[u8] = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<answer a=\"b\"><c>路</c></answer>".as_bytes();

    #[test]
    fn bombs_are_well_formed_up_to_their_entities() {
        let doctype = String::from_utf8(with_doctype(DOCUMENT)).unwrap();
        let options = || roxmltree::ParsingOptions { allow_dtd: true, ..Default::default() };
        let parsed = roxmltree::Document::parse_with_options(&doctype, options());
        assert_eq!(parsed.unwrap().root_element().tag_name().name(), "answer");

        let bomb = String::from_utf8(with_entity_bomb(DOCUMENT)).unwrap();
        assert!(bomb.contains("]><answer a=\"b\">&l9;<c>"), "{bomb}");
        let error = roxmltree::Document::parse_with_options(&bomb, options()).unwrap_err();
        assert!(matches!(error, roxmltree::Error::EntityReferenceLoop(_)), "{error:?}");
    }

    #[test]
    fn gbk_is_declared_and_is_not_utf8() {
        for document in [DOCUMENT, b"<answer/>", b"{}"] {
            assert!(std::str::from_utf8(&as_if_gbk(document)).is_err());
        }
        assert!(String::from_utf8_lossy(&as_if_gbk(DOCUMENT)).contains("encoding=\"GBK\""));
    }

    #[test]
    fn what_is_no_xml_is_distorted_too() {
        for document in [&b""[..], b"{}", b"<"] {
            assert!(with_doctype(document).starts_with(b"<!DOCTYPE answer ["));
            assert!(with_entity_bomb(document).starts_with(b"<!DOCTYPE answer ["));
        }
    }
}
