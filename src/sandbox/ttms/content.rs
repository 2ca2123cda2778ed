//! What the sender of an order (运单) says of it: OrderEntity, ModifyOrderEntity.

use serde_json::{Map, Number, Value};

use super::cargo::{Cargo, NOTES};
use super::members::{DELIVERY_TYPES, Members, PAY_TYPES};
use super::party::{CONSIGNEE, CONSIGNER, Party, replace};

/// What create_order says, and modify_order can change in part.
#[derive(Debug, Clone)]
pub struct Content {
    /// Our orderNumber.
    pub wms_number: String,
    pub wms_location: Option<String>,
    pub customer_order_number: Option<String>,
    pub delivery_time: Option<i64>,
    pub delivery_type: Option<i64>,
    pub appoint_arrive_time: Option<i64>,
    pub start_address: Option<String>,
    pub end_address: Option<String>,
    pub consigner: Party,
    pub consignees: Vec<Party>,
    pub cargoes: Vec<Cargo>,
    /// 上游运费 and 司机运费
    pub shipper: Freight,
    pub driver: Freight,
    pub freight_collect: Option<Number>,
    pub payment_collect: Option<Number>,
    pub receipt_count: Option<i64>,
    pub note: Option<String>,
    pub organization_path: Option<String>,
    pub notes: [Option<String>; 12],
}

#[derive(Debug, Clone, Default)]
pub struct Freight {
    pub amount: Option<Number>,
    pub pay_type: Option<i64>,
}

impl Content {
    /// OrderEntity
    pub fn read(order: &mut Members) -> Self {
        let read_notes = |fields: &mut Members| NOTES.map(|name| fields.text(name));
        Self {
            wms_number: order.required("orderNumber"),
            wms_location: order.text("wmsLocation"),
            customer_order_number: order.text("customerOrderNumber"),
            delivery_time: order.required_timestamp("deliveryTime"),
            delivery_type: order.constant("deliveryType", &DELIVERY_TYPES),
            appoint_arrive_time: order.timestamp("appointArriveTime"),
            start_address: order.text("startAddress"),
            end_address: order.text("endAddress"),
            consigner: Party::of_order(order, &CONSIGNER, true),
            consignees: Some(Party::of_order(order, &CONSIGNEE, false))
                .into_iter()
                .filter(|it| !it.is_empty())
                .collect(),
            cargoes: order.list("cargoList", Cargo::read).unwrap_or_default(),
            shipper: Freight {
                amount: order.number("shipperPay"),
                pay_type: order.constant("shipperPayType", &PAY_TYPES),
            },
            driver: Freight {
                amount: order.number("driverPay"),
                pay_type: order.constant("driverPayType", &PAY_TYPES),
            },
            freight_collect: order.number("freightCollect"),
            payment_collect: order.number("paymentCollect"),
            receipt_count: order.integer("receiptCount"),
            note: order.text("note"),
            organization_path: order.organization("organizationPath"),
            notes: order.group("extraFields", read_notes).unwrap_or_default(),
        }
    }

    /// In the members of OrderEntity, those that are known. Consignees beyond the first, which it
    /// has no place for, stand in `furtherConsignees`.
    pub fn written(&self) -> Value {
        let Self {
            wms_number,
            wms_location,
            customer_order_number,
            delivery_time,
            delivery_type,
            appoint_arrive_time,
            start_address,
            end_address,
            consigner,
            consignees,
            cargoes,
            shipper,
            driver,
            freight_collect,
            payment_collect,
            receipt_count,
            note,
            organization_path,
            notes,
        } = self;
        let mut document = Map::new();
        document.insert("orderNumber".to_owned(), wms_number.as_str().into());
        consigner.write_flat(&mut document, &CONSIGNER);
        if let Some((first, further)) = consignees.split_first() {
            first.write_flat(&mut document, &CONSIGNEE);
            if !further.is_empty() {
                document.insert("furtherConsignees".to_owned(), further.iter().map(Party::shown).collect());
            }
        }
        let texts = [
            ("customerOrderNumber", customer_order_number),
            ("startAddress", start_address),
            ("endAddress", end_address),
            ("note", note),
            ("organizationPath", organization_path),
            ("wmsLocation", wms_location),
        ];
        let known = texts.into_iter().filter_map(|(member, text)| Some((member.to_owned(), text.as_deref()?.into())));
        document.extend(known);
        let integers = [
            ("deliveryTime", delivery_time),
            ("deliveryType", delivery_type),
            ("appointArriveTime", appoint_arrive_time),
            ("receiptCount", receipt_count),
            ("shipperPayType", &shipper.pay_type),
            ("driverPayType", &driver.pay_type),
        ];
        document.extend(integers.into_iter().filter_map(|(member, it)| Some((member.to_owned(), (*it)?.into()))));
        let amounts = [
            ("shipperPay", &shipper.amount),
            ("driverPay", &driver.amount),
            ("freightCollect", freight_collect),
            ("paymentCollect", payment_collect),
        ];
        let known = amounts.into_iter().filter_map(|(member, amount)| Some((member.to_owned(), amount.clone()?)));
        document.extend(known.map(|(member, amount)| (member, amount.into())));
        let notes = NOTES.into_iter().zip(notes);
        let notes: Map<_, _> =
            notes.filter_map(|(member, note)| Some((member.to_owned(), note.as_deref()?.into()))).collect();
        if !notes.is_empty() {
            document.insert("extraFields".to_owned(), notes.into());
        }
        document.insert("cargoList".to_owned(), cargoes.iter().map(Cargo::written).collect());
        document.into()
    }
}

/// ModifyOrderEntity. Lists overwrite, and an empty one clears; all else that is absent or null
/// stays as it is.
#[derive(Debug, Clone)]
pub struct Modification {
    appoint_arrive_time: Option<i64>,
    customer_order_number: Option<String>,
    delivery_time: Option<i64>,
    delivery_type: Option<i64>,
    start_address: Option<String>,
    end_address: Option<String>,
    note: Option<String>,
    organization_path: Option<String>,
    receipt_count: Option<i64>,
    consigner: Option<Party>,
    consignees: Option<Vec<Party>>,
    notes: [Option<String>; 12],
    cargoes: Option<Vec<Cargo>>,
}

impl Modification {
    pub fn read(order: &mut Members) -> Self {
        let read_notes = |fields: &mut Members| NOTES.map(|name| fields.text(name));
        Self {
            appoint_arrive_time: order.timestamp("appointArriveTime"),
            customer_order_number: order.text("customerOrderNumber"),
            delivery_time: order.timestamp("deliveryTime"),
            delivery_type: order.constant("deliveryType", &DELIVERY_TYPES),
            start_address: order.text("startAddress"),
            end_address: order.text("endAddress"),
            note: order.text("note"),
            organization_path: order.organization("organizationPath"),
            receipt_count: order.integer("receiptCount"),
            consigner: order.group("consigner", Party::read),
            consignees: order.list("consignees", Party::read),
            notes: order.group("customNotes", read_notes).unwrap_or_default(),
            cargoes: order.list("orderCargoes", Cargo::read),
        }
    }

    pub fn apply(self, content: &mut Content) {
        let Self {
            appoint_arrive_time,
            customer_order_number,
            delivery_time,
            delivery_type,
            start_address,
            end_address,
            note,
            organization_path,
            receipt_count,
            consigner,
            consignees,
            notes,
            cargoes,
        } = self;
        replace(&mut content.appoint_arrive_time, appoint_arrive_time);
        replace(&mut content.customer_order_number, customer_order_number);
        replace(&mut content.delivery_time, delivery_time);
        replace(&mut content.delivery_type, delivery_type);
        replace(&mut content.start_address, start_address);
        replace(&mut content.end_address, end_address);
        replace(&mut content.note, note);
        replace(&mut content.organization_path, organization_path);
        replace(&mut content.receipt_count, receipt_count);
        if let Some(consigner) = consigner {
            content.consigner.modify(consigner);
        }
        if let Some(consignees) = consignees {
            content.consignees = consignees;
        }
        for (held, change) in content.notes.iter_mut().zip(notes) {
            replace(held, change);
        }
        if let Some(cargoes) = cargoes {
            content.cargoes = cargoes;
        }
    }
}
