//! `/order/find_order/v2` and `/order/query_orders`.

use super::answer::{self, Failure, Outcome};
use super::ledger::{Ledger, Visit};
use super::members::Members;
use super::order_view::{self, Detail};
use super::parameters::Parameters;
use super::party::Party;
use super::query::{Page, Period, TimeType, Wanted};
use super::waybill::{Status, Waybill};

/// 最多20个
const MOST_NUMBERS: usize = 20;

/// What fits all that is asked for. Without anything asked, which the document does not speak of,
/// it is refused; what is not there is left out.
pub fn find_order(ledger: &mut Ledger, visit: &Visit, parameters: &Parameters) -> Outcome {
    let asked = parameters.check(|request| {
        ["orderNumber", "phoneNumber", "customerNumber"].map(|name| request.text(name).filter(|it| !it.is_empty()))
    })?;
    let [numbers, phone, customer_number] = asked;
    if numbers.is_none() && phone.is_none() && customer_number.is_none() {
        return Err(Failure::because("orderNumber、phoneNumber、customerNumber至少填一个"));
    }
    let numbers: Option<Vec<&str>> = numbers.as_deref().map(|it| it.split(',').collect());
    if let Some(numbers) = &numbers {
        if numbers.len() > MOST_NUMBERS {
            return Err(Failure::because("orderNumber最多20个"));
        }
        if numbers.iter().any(|it| it.is_empty() || it.contains(char::is_whitespace)) {
            return Err(Failure::because("orderNumber多个单号用英文“,”隔开,中间不要有空格"));
        }
    }
    let fits = |waybill: &&Waybill| {
        let content = &waybill.content;
        (phone.is_none() || content.consigner.phone == phone)
            && (customer_number.is_none() || content.customer_order_number == customer_number)
    };
    // With numbers only those are looked at: the others may be many.
    let found: Vec<&Waybill> = match &numbers {
        Some(numbers) => numbers.iter().filter_map(|number| ledger.waybill(visit.user, number)).collect(),
        None => ledger.waybills(visit.user).collect(),
    };
    let found = found.into_iter().filter(fits);
    Ok(answer::data(found.map(|it| order_view::shown(it, Detail::Whole)).collect::<Vec<_>>()))
}

/// The parameters of query_orders.
struct Query {
    page: Page,
    /// 0已撤销,1已下单,2已接单,3已装货,4已签收,1000待处理,无法查看全部状态,不传则默认0已撤销
    status: Status,
    period: Period,
    order_number: Wanted,
    customer_order_number: Wanted,
    pack_number: Wanted,
    consigner_name: Wanted,
    consigner_phone: Wanted,
    consignee_name: Wanted,
    consignee_phone: Wanted,
    driver_name: Wanted,
    driver_phone: Wanted,
    car_number: Wanted,
}

impl Query {
    fn read(request: &mut Members) -> Self {
        Self {
            page: Page::read(request),
            status: match request.constant("state", &[0, 1, 2, 3, 4, 1000]) {
                Some(1) => Status::Placed,
                Some(2) => Status::Accepted,
                Some(3) => Status::Loaded,
                Some(4) => Status::Signed,
                Some(1000) => Status::Pending,
                _ => Status::Cancelled,
            },
            period: Period::read(request),
            order_number: Wanted::read(request, "orderNumber"),
            customer_order_number: Wanted::read(request, "customerOrderNumber"),
            pack_number: Wanted::read(request, "packNumber"),
            consigner_name: Wanted::read(request, "consignerName"),
            consigner_phone: Wanted::read(request, "consignerPhone"),
            consignee_name: Wanted::read(request, "consigneeName"),
            consignee_phone: Wanted::read(request, "consigneePhone"),
            driver_name: Wanted::read(request, "driverName"),
            driver_phone: Wanted::read(request, "driverPhone"),
            car_number: Wanted::read(request, "carNumber"),
        }
    }

    fn is_met_by(&self, waybill: &Waybill) -> bool {
        let content = &waybill.content;
        let driver = waybill.driver.as_ref();
        let known = driver.and_then(|it| it.known);
        let any_consignee = |wanted: &Wanted, of: fn(&Party) -> Option<&str>| {
            wanted.is_met_by(None) || content.consignees.iter().any(|it| wanted.is_met_by(of(it)))
        };
        waybill.status == self.status
            && self.order_number.is_met_by(Some(&waybill.number))
            && self.customer_order_number.is_met_by(content.customer_order_number.as_deref())
            && self.pack_number.is_met_by(waybill.pack_number.as_deref())
            && self.consigner_name.is_met_by(content.consigner.name.as_deref())
            && self.consigner_phone.is_met_by(content.consigner.phone.as_deref())
            && any_consignee(&self.consignee_name, |it| it.name.as_deref())
            && any_consignee(&self.consignee_phone, |it| it.phone.as_deref())
            && self.driver_name.is_met_by(known.map(|it| it.name))
            && self.driver_phone.is_met_by(driver.map(|it| it.phone.as_str()))
            && self.car_number.is_met_by(known.map(|it| it.car))
            && self.period.holds(|time_type| match time_type {
                TimeType::Created => Some(waybill.times.created),
                TimeType::Deliveryed => content.delivery_time,
                TimeType::AppointArrived => content.appoint_arrive_time,
                TimeType::Signed => waybill.times.signed,
            })
    }
}

pub fn query_orders(ledger: &mut Ledger, visit: &Visit, parameters: &Parameters) -> Outcome {
    let query = parameters.check(Query::read)?;
    let found: Vec<&Waybill> = ledger.waybills(visit.user).filter(|it| query.is_met_by(it)).collect();
    Ok(answer::data(query.page.shown(&found, |it| order_view::shown(it, Detail::Listed))))
}
