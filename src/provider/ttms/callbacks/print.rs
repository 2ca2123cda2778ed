//! Prints (8000, 8001): calls that have a list of numbers and the kind of print, and nothing else: neither state nor time.

use super::super::held::members::{Members, text};
use super::{Message, names_no_order, texts};
use crate::canonical::{DocumentType, EventType, Happening, OrderMention};
use crate::provider::Refusal;

pub fn parse(message: &Message) -> Result<Vec<Happening>, Refusal> {
    let print_type = text(&message.document, "printType").unwrap_or_default();
    let event = match print_type.as_str() {
        "运单打印" => EventType::DocumentWaybillPrinted,
        "运单标签打印" => EventType::DocumentLabelPrinted,
        other => {
            return Err(Refusal::new(
                "callback.unknown_state",
                format!("printType is {other:?}, and neither 运单打印 (8000) nor 运单标签打印 (8001)"),
                format!("printType {other:?} 未在文档中定义"),
            ));
        }
    };
    let numbers = texts(&message.document, "orderNumbers");
    if numbers.is_empty() {
        return Err(names_no_order());
    }
    let happening = |number: String| {
        let mut data = Members::default();
        data.put("printType", Some(print_type.clone()));
        data.put("raw", Some(message.raw_of("orderNumbers", &number)));
        let order = OrderMention {
            document_type: Some(DocumentType::TransportOrder),
            order_number: None,
            provider_order_number: Some(number),
        };
        message.happening(event, order, data)
    };
    Ok(numbers.into_iter().map(happening).collect())
}
