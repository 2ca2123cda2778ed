//! The response codes of orderImport that this simulator gives (document: 错误码解释), with the
//! document's own words for each.

/// 客户验证失败. A failure, although it is `0`: success is an empty `responseCode`.
pub const AUTHENTICATION_FAILED: &str = "0";
/// 不支持的请求版本
pub const UNSUPPORTED_VERSION: &str = "1";
/// 请求中的导入订单过多
pub const TOO_MANY_ORDERS: &str = "2";

/// 客户代码未找到。
pub const CLIENT_CODE_NOT_FOUND: &str = "1000";
/// 无效的数据类型。
pub const INVALID_DATA_TYPE: &str = "1001";
/// shipFromExternalId发货方外部代码未找到。
pub const SHIP_FROM_NOT_FOUND: &str = "1003";
/// shipToExternalId收货方外部代码未找到。
pub const SHIP_TO_NOT_FOUND: &str = "1004";
/// singleLine/externalId产品明细/货物(产品)外部代码未找到。
pub const PRODUCT_NOT_FOUND: &str = "1005";
/// 缺少transportType运输方式。
pub const TRANSPORT_TYPE_MISSING: &str = "1006";
/// truckType车辆类型不匹配。
pub const TRUCK_TYPE_UNMATCHED: &str = "1008";
/// 发货方外部代码重复。Ambiguous master data, not a duplicate order.
pub const SHIP_FROM_AMBIGUOUS: &str = "1009";
/// 收货方外部代码重复。
pub const SHIP_TO_AMBIGUOUS: &str = "1010";
/// 货物(产品)外部代码重复。
pub const PRODUCT_AMBIGUOUS: &str = "1011";
/// 缺少货物/产品信息。订单明细中至少需提供externalId或cargoDescription之一。
pub const PRODUCT_MISSING: &str = "1021";
/// ERP单号重复。订单不能导入。
pub const ORDER_EXISTS: &str = "1022";
/// 试图更新的订单不是由导入接口导入。更新被拒绝。
pub const NOT_IMPORTED_HERE: &str = "1023";
/// 试图更新的订单不在收件箱或草稿箱中。更新被拒绝。
pub const NOT_AMENDABLE: &str = "1024";
/// 未提供司机和卡车的信息。
pub const TRUCK_NOT_PROVIDED: &str = "1028";
/// 匹配到的卡车不唯一。
pub const TRUCK_AMBIGUOUS: &str = "1029";
/// 自定义字段不能识别……订单不能导入。
pub const CUSTOM_FIELD_UNKNOWN: &str = "1030";
/// 未定义的自定义字段枚举值。订单不能导入。
pub const CUSTOM_ENUMERATION_UNDEFINED: &str = "1033";
/// 用户地区和试图更新的订单地区不匹配。更新被拒绝。
pub const REGION_UNMATCHED: &str = "1035";
/// 地区不存在。
pub const BRANCH_NOT_FOUND: &str = "1040";
/// 未提供发货方。
pub const SHIP_FROM_MISSING: &str = "1041";
/// 未提供收货方。
pub const SHIP_TO_MISSING: &str = "1042";
/// 分公司未识别,或用户权限不匹配。
pub const BRANCH_NOT_PERMITTED: &str = "1043";
/// 拒绝草稿状态订单。Comes beside the codes that say what is incomplete.
pub const DRAFT_REJECTED: &str = "1044";
/// 订单信息不完整,订单信息或货物/产品明细信息无效。
pub const INVALID: &str = "1049";
/// 承运商的状态异常。
pub const VENDOR_SUSPENDED: &str = "1070";
/// 试图更新的订单已有货差。更新被拒绝。
pub const CARGO_DIFFERS: &str = "1072";
/// 试图更新的订单已在账单中。更新被拒绝。
pub const BILLED: &str = "1073";
/// 无法匹配到卡车。
pub const TRUCK_UNMATCHED: &str = "1080";
/// 无法匹配到司机。
pub const DRIVER_UNMATCHED: &str = "1082";
/// 匹配到的司机不唯一。
pub const DRIVER_AMBIGUOUS: &str = "1083";
/// 试图更新的订单被锁定。更新被拒绝。
pub const LOCKED: &str = "1086";
/// 试图更新的订单只能被订单所属公司更新。更新被拒绝。
pub const NOT_THE_OWNER: &str = "1090";
/// 承运商代码未找到
pub const VENDOR_NOT_FOUND: &str = "1092";
/// 运输成本数据无效
pub const COST_INVALID: &str = "1093";
/// 货物类型和温度报警阀值不匹配。
pub const TEMPERATURE_UNMATCHED: &str = "1094";
/// 温度报警阀值无效。
pub const TEMPERATURE_INVALID: &str = "1095";
/// 收货点和发货点不能重复。
pub const SAME_PLACE: &str = "1120";
/// 订单行总重量超过订单总重量。
pub const LINES_EXCEED_WEIGHT: &str = "1141";
/// 订单行总体积超过订单总体积。
pub const LINES_EXCEED_VOLUME: &str = "1142";
/// 订单行总数量超过订单总数量。
pub const LINES_EXCEED_QUANTITY: &str = "1143";
/// 订单行总保费超过订单总保费。
pub const LINES_EXCEED_INSURANCE: &str = "1146";
/// 缺少packageType包装类型。
pub const PACKAGE_TYPE_MISSING: &str = "1150";
/// 缺少cargoType货物类型。
pub const CARGO_TYPE_MISSING: &str = "1151";
/// 时间窗信息不完整,请检查提送货时间。
pub const TIME_SCHEDULE_INCOMPLETE: &str = "1152";
/// 发货方信息不完整。
pub const SHIP_FROM_INCOMPLETE: &str = "1160";
/// 收货方信息不完整。
pub const SHIP_TO_INCOMPLETE: &str = "1170";
/// 缺少truckType车辆类型。
pub const TRUCK_TYPE_MISSING: &str = "1181";
/// 缺少truckLength正确车长。
pub const TRUCK_LENGTH_MISSING: &str = "1182";
/// 缺少productName产品名称。
pub const PRODUCT_NAME_MISSING: &str = "1183";
/// 地区branch长度超长。
pub const BRANCH_TOO_LONG: &str = "1200";
/// ErpNumber长度超长。
pub const ERP_NUMBER_TOO_LONG: &str = "1201";
/// 地区名称companyName超长。
pub const COMPANY_NAME_TOO_LONG: &str = "1202";
/// 邮政编码postcode不规范。
pub const POSTCODE_INVALID: &str = "1203";
/// 地址address超长。
pub const ADDRESS_TOO_LONG: &str = "1204";
/// 联系方式不规范。
pub const CONTACT_INVALID: &str = "1205";
/// 自定义文本超长。
pub const CUSTOM_TEXT_TOO_LONG: &str = "1206";
/// 自定义数字超出范围。
pub const CUSTOM_NUMBER_OUT_OF_RANGE: &str = "1207";
/// 自定义枚举超长。
pub const CUSTOM_ENUMERATION_TOO_LONG: &str = "1208";
/// 预计提货日期与当前时间相差超过365天。
pub const PICKUP_TOO_FAR: &str = "1209";
/// 预计送达日期与当前时间相差超过365天。
pub const DELIVERY_TOO_FAR: &str = "1210";
/// 货物/产品的代码productCode超长。
pub const PRODUCT_CODE_TOO_LONG: &str = "1211";
/// 订单正在被更新。
pub const BEING_UPDATED: &str = "2000";

/// Codes that mean an order is incomplete rather than wrong: it is created as a draft, or refused
/// with [`DRAFT_REJECTED`] when `rejectDraft` is true. Which codes belong here the document does
/// not say; these are the ones that it words as something missing (缺少, 不完整) and that a person
/// can complete in the draft box.
const INCOMPLETE: [&str; 10] = [
    TRANSPORT_TYPE_MISSING,
    TRUCK_TYPE_MISSING,
    TRUCK_LENGTH_MISSING,
    PACKAGE_TYPE_MISSING,
    CARGO_TYPE_MISSING,
    SHIP_FROM_INCOMPLETE,
    SHIP_TO_INCOMPLETE,
    PRODUCT_NAME_MISSING,
    PRODUCT_MISSING,
    TIME_SCHEDULE_INCOMPLETE,
];

pub fn means_incomplete(code: &str) -> bool {
    INCOMPLETE.contains(&code)
}
