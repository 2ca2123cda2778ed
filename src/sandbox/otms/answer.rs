//! Writes answers: what the answers of all operations have alike. Their orders differ.

use quick_xml::escape::escape;

use super::members::Fault;

/// A request that was refused as a whole: a global code and no orders.
pub fn refused(root: &str, code: &str) -> String {
    let mut out = Xml::begin(root);
    out.leaf("responseCode", Some(code));
    out.leaf("processedOrders", Some("0"));
    out.close(root);
    out.0
}

/// A request whose orders were processed, each with its own result. The global code is empty:
/// that is what success looks like.
pub fn processed<T>(root: &str, orders: &[T], write: impl Fn(&mut Xml, &T)) -> String {
    let mut out = Xml::begin(root);
    out.leaf("responseCode", None);
    // orderImport's example says 2 with four orders; its table says 处理的订单数量, so all of them.
    out.leaf("processedOrders", Some(&orders.len().to_string()));
    out.open("orders");
    for order in orders {
        write(&mut out, order);
    }
    out.close("orders");
    out.close(root);
    out.0
}

pub struct Xml(String);

impl Xml {
    fn begin(root: &str) -> Self {
        let declaration = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>"#;
        Self(format!("{declaration}\n<{root} version=\"0.1\">"))
    }

    /// Each code once, in the order in which it was found first.
    pub fn response_codes(&mut self, faults: &[Fault]) {
        self.open("responseCodes");
        for (index, fault) in faults.iter().enumerate() {
            if faults[..index].iter().all(|earlier| earlier.code != fault.code) {
                self.open("responseCode");
                self.leaf("code", Some(&fault.code));
                self.close("responseCode");
            }
        }
        self.close("responseCodes");
    }

    pub fn leaf(&mut self, name: &str, text: Option<&str>) {
        match text {
            Some(text) => {
                self.open(name);
                self.0.push_str(&escape(text));
                self.close(name);
            }
            None => self.open(&format!("{name}/")),
        }
    }

    pub fn open(&mut self, tag: &str) {
        self.0.push('<');
        self.0.push_str(tag);
        self.0.push('>');
    }

    pub fn close(&mut self, name: &str) {
        self.0.push_str("</");
        self.0.push_str(name);
        self.0.push('>');
    }
}
