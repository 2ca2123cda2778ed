//! `/customer_order/query_customer_orders`, with all members of the document's example, null where
//! nothing is known.

use serde_json::{Map, Value, json};

use super::answer::{self, Outcome};
use super::cargo::{self, Cargo, NOTES};
use super::customer_order::{CustomerOrder, CustomerStatus};
use super::ledger::{Ledger, Visit};
use super::members::Members;
use super::order_view::{freight, object};
use super::organization;
use super::parameters::Parameters;
use super::query::{Page, Period, TimeType, Wanted};

/// The parameters.
struct Query {
    page: Page,
    /// 0已撤销,1000待处理,2000进行中,3000已完成,不传则查询全部状态
    state: Option<i64>,
    period: Period,
    number: Wanted,
    original_order_number: Wanted,
    device_number: Wanted,
    consigner_name: Wanted,
    consigner_phone: Wanted,
    consigner_address: Wanted,
    consignee_name: Wanted,
    consignee_phone: Wanted,
    consignee_address: Wanted,
    organization_paths: Option<Vec<String>>,
}

impl Query {
    fn read(request: &mut Members) -> Self {
        Self {
            page: Page::read(request),
            state: request.constant("state", &[0, 1000, 2000, 3000]),
            period: Period::read(request),
            number: Wanted::read(request, "number"),
            original_order_number: Wanted::read(request, "originalOrderNumber"),
            device_number: Wanted::read(request, "deviceNumber"),
            consigner_name: Wanted::read(request, "consignerName"),
            consigner_phone: Wanted::read(request, "consignerPhone"),
            consigner_address: Wanted::read(request, "consignerAddress"),
            consignee_name: Wanted::read(request, "consigneeName"),
            consignee_phone: Wanted::read(request, "consigneePhone"),
            consignee_address: Wanted::read(request, "consigneeAddress"),
            organization_paths: request.texts("organizationPaths").filter(|it| !it.is_empty()),
        }
    }

    fn is_met_by(&self, order: &CustomerOrder) -> bool {
        let content = &order.content;
        let path = path(order);
        self.state.is_none_or(|it| it == order.status.state())
            && self.number.is_met_by(Some(&order.number))
            && self.original_order_number.is_met_by(content.original_order_number.as_deref())
            && self.device_number.is_met_by(content.device_number.as_deref())
            && self.consigner_name.is_met_by(content.consigner.name.as_deref())
            && self.consigner_phone.is_met_by(content.consigner.phone.as_deref())
            && self.consigner_address.is_met_by(content.consigner.address.detail.as_deref())
            && self.consignee_name.is_met_by(content.consignee.name.as_deref())
            && self.consignee_phone.is_met_by(content.consignee.phone.as_deref())
            && self.consignee_address.is_met_by(content.consignee.address.detail.as_deref())
            && self.organization_paths.as_ref().is_none_or(|paths| paths.iter().any(|it| it == path))
            && self.period.holds(|time_type| match time_type {
                TimeType::Created => Some(order.created),
                TimeType::Deliveryed => content.delivery_time,
                TimeType::AppointArrived => content.appoint_arrive_time,
                TimeType::Signed => order.signed,
            })
    }
}

pub fn query_customer_orders(ledger: &mut Ledger, visit: &Visit, parameters: &Parameters) -> Outcome {
    let query = parameters.check(Query::read)?;
    let found: Vec<_> = ledger.customer_orders(visit.user).filter(|it| query.is_met_by(it)).collect();
    Ok(answer::data(query.page.shown(&found, |it| shown(it))))
}

/// What nothing here is ever known of.
const UNKNOWN: [&str; 52] = [
    "uppay1",
    "uppay2",
    "uppay3",
    "uppay4",
    "uppay5",
    "uppay6",
    "uppay7",
    "uppay8",
    "uppay9",
    "uppay10",
    "uppay11",
    "uppay12",
    "option1",
    "option2",
    "option3",
    "ownerOrganizationPath",
    "assignOrganizationPaths",
    "receiveOrganizationPath",
    "batchNumber",
    "settlementParty",
    "settlementName",
    "settlementPhone",
    "freightInReceived",
    "freightInState",
    "freightInTime",
    "paymentCollectState",
    "paymentCollectReceived",
    "paymentCollectTime",
    "paymentCollectWriteoffTime",
    "customerOrderPrintStatus",
    "customerOrderTipsPrintStatus",
    "receiptState",
    "receiptCallbacker",
    "receiptCallbackTime",
    "receiptSender",
    "receiptSentTime",
    "segmentOrderNumber",
    "carrier",
    "currentSegmentType",
    "reachStation",
    "nextStation",
    "mileage",
    "mileageEstimated",
    "lastUploadAddress",
    "lastUploadTime",
    "settlementNumber",
    "writeoffSettlementNumber",
    "duration",
    "durationEstimated",
    "estimatedArriveTime",
    "estimatedLeftMiles",
    "openTime",
];

/// 来源 1手工录入,2批量导入,3客户下单,4接口导入
const IMPORTED_BY_INTERFACE: i64 = 4;

fn path(order: &CustomerOrder) -> &str {
    order.content.organization_path.as_deref().unwrap_or(organization::HEADQUARTERS)
}

fn shown(order: &CustomerOrder) -> Value {
    let mut members = said(order);
    members.extend(progress(order));
    members.insert("cargo".to_owned(), cargo::totals(&order.content.cargoes, "remarks").into());
    let notes = NOTES.into_iter().zip(&order.content.notes);
    members.extend(notes.map(|(name, note)| (name.to_owned(), json!(note))));
    members.extend(UNKNOWN.map(|name| (name.to_owned(), Value::Null)));
    let cargoes: Vec<_> = order.content.cargoes.iter().map(|it| cargo_line(it, order)).collect();
    json!({ "order": members, "cargoes": cargoes })
}

fn said(order: &CustomerOrder) -> Map<String, Value> {
    let CustomerOrder { user, id, number, content, .. } = order;
    object(json!({
        "id": id,
        "uid": user.uid,
        "createUid": user.uid,
        "createUserId": user.phone,
        "createUsername": user.person,
        "number": number,
        "originalOrderNumber": content.original_order_number,
        "deliveryTime": content.delivery_time,
        "deliveryType": content.delivery_type,
        "appointArriveTime": content.appoint_arrive_time,
        "startAddress": content.start_address,
        "endAddress": content.end_address,
        "consigner": content.consigner.shown(),
        "consignee": content.consignee.shown(),
        "freightIn": freight(&content.shipper),
        "totalFreightIn": content.shipper.amount,
        "freightInUnreceived": content.shipper.amount,
        "upPayTotal": 0,
        "paymentCollect": content.payment_collect,
        "receiptCount": content.receipt_count,
        "remarks": content.remarks,
        "createOrganizationPath": path(order),
        "source": IMPORTED_BY_INTERFACE,
        "salesman": "",
        "salesmanPhone": null,
    }))
}

fn progress(order: &CustomerOrder) -> Map<String, Value> {
    let device = &order.content.device_number;
    let is_finished = order.status == CustomerStatus::Finished;
    object(json!({
        "state": order.status.state(),
        "publishTime": order.published,
        "departured": order.departed.is_some(),
        "departureTime": order.departed,
        "departureTimeStatus": null,
        "arrived": is_finished,
        "arrivedTime": order.signed,
        "arrivedTimeStatus": null,
        "firstSignTime": order.signed,
        "lastSignTime": order.signed,
        "finished": is_finished,
        "bindDevices": order.bound_devices,
        "currentBindDevice": device,
        "bindStatusName": if device.is_some() { "已绑定" } else { "未绑定" },
        "created": order.created,
        "updated": order.updated,
    }))
}

fn cargo_line(cargo: &Cargo, order: &CustomerOrder) -> Value {
    let mut members = cargo.shown("remarks");
    members.extend(object(json!({
        "id": cargo.id,
        "uid": order.user.uid,
        "customerOrderNumber": order.number,
        "transferOrderNumber": null,
        "created": cargo.created,
    })));
    members.into()
}
