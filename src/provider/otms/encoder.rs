//! Writes one `order` of a request, and collects what is wrong with it.

use crate::canonical::{FieldError, Operation, Order};
use crate::provider::xml::{Pointer, XmlWriter, at};
use crate::provider::{Account, Item, ItemEncoding};

/// Writes one `order` and collects what is wrong with it.
pub struct OrderEncoder<'w, 't> {
    pub xml: &'w mut XmlWriter<'t>,
    pub account: &'w Account,
    pub encoding: ItemEncoding,
}

impl OrderEncoder<'_, '_> {
    pub fn client_code(&mut self, order: &Order) {
        let code = order.customer.as_ref().and_then(|customer| customer.code.as_ref());
        self.xml.value("clientCode", code, at("/customer", "code"));
    }

    /// How oTMS knows the order: by our number. An order that was made there is known by the number that
    /// oTMS gave it, which counts only without ours (如果已提供erpNumber,oTMS订单号视为无效).
    pub fn order_key(&mut self, item: &Item<'_>) {
        let written = item.order.provider_order_number.as_deref();
        let made_there = item.adopted && item.operation != Operation::Create;
        let Some(number) = item.provider_order_number.or(written).filter(|_| made_there) else {
            self.xml.value("erpNumber", Some(&item.order.order_number), at("", "orderNumber"));
            if written.is_some() && written == item.provider_order_number {
                self.xml.implied(at("", "providerOrderNumber"));
            }
            return;
        };
        // Our number is the gateway's name for what the number at oTMS names.
        self.xml.implied(at("", "orderNumber"));
        if written.is_some_and(|written| written != number) {
            self.xml.constant("orderNumber", number);
        } else {
            self.xml.value("orderNumber", Some(number), at("", "providerOrderNumber"));
        }
    }

    /// Several numbers in one element, separated by `;`.
    pub fn joined(&mut self, element: &str, numbers: Option<&[String]>, pointer: Pointer<'_>) {
        let Some(numbers) = numbers.filter(|numbers| !numbers.is_empty()) else { return };
        if numbers.iter().any(|number| number.contains(';')) {
            self.unsupported_value(
                pointer,
                "must not contain a semicolon, which separates the numbers at oTMS",
                "不得包含分号:oTMS 以分号分隔多个编号",
            );
        }
        self.xml.converted(element, Some(numbers.join(";")), pointer, Some("joined by semicolons"));
    }

    /// An element with children; left out when nothing is written inside.
    pub fn element(&mut self, name: &'static str, content: impl FnOnce(&mut Self)) {
        let opened = self.xml.begin(name, None);
        content(self);
        self.xml.end(&opened, false);
    }

    /// An element with children; `<name/>` when nothing is written inside.
    pub fn element_or_empty(&mut self, name: &'static str, content: impl FnOnce(&mut Self)) {
        let opened = self.xml.begin(name, None);
        content(self);
        self.xml.end(&opened, true);
    }

    pub fn list_item(&mut self, name: &'static str, index: usize, content: impl FnOnce(&mut Self)) {
        let opened = self.xml.begin(name, Some(index));
        content(self);
        self.xml.end(&opened, true);
    }

    pub fn missing(&mut self, pointer: &str, detail: &str, detail_zh: &str) {
        self.refuse(pointer, "validation.missing", detail, detail_zh);
    }

    pub fn invalid_format(&mut self, pointer: Pointer<'_>, detail: &str, detail_zh: &str) {
        self.refuse(pointer, "validation.invalid_format", detail, detail_zh);
    }

    pub fn unsupported_value(&mut self, pointer: Pointer<'_>, detail: &str, detail_zh: &str) {
        self.refuse(pointer, "translation.unsupported_value", detail, detail_zh);
    }

    pub fn refuse(&mut self, pointer: impl Into<String>, code: &str, detail: &str, detail_zh: &str) {
        self.encoding.refusals.push(FieldError::new(pointer, code, detail, detail_zh));
    }
}
