//! The response codes of orderCustomUpdate (document: 单个请求反馈代码), with the document's own
//! words for each. The global ones are orderImport's.

use super::codes;

/// 客户代码未找到。
pub const CLIENT_CODE_NOT_FOUND: &str = "7000";
/// 无效的数据类型。
pub const INVALID_DATA_TYPE: &str = "7001";
/// 订单匹配结果不唯一。
pub const MATCH_NOT_UNIQUE: &str = "7003";
/// 用户地区权限不匹配。
pub const REGION_NOT_PERMITTED: &str = "7004";
/// 订单不属于该公司。
pub const NOT_OF_THIS_COMPANY: &str = "7006";
/// 已入账单的订单不允许更新。
pub const BILLED: &str = "7008";
/// 订单不存在。
pub const ORDER_NOT_FOUND: &str = "7009";
/// 自定义字段不能识别……订单不能更新。
pub const CUSTOM_FIELD_UNKNOWN: &str = "7043";
/// 未定义的自定义字段枚举值。订单不能更新。
pub const CUSTOM_ENUMERATION_UNDEFINED: &str = "7044";
/// 未启用自定义字段,将忽略更新订单中的自定义字段。Ignored, and not refused.
pub const CUSTOM_FIELDS_IGNORED: &str = "7045";
/// 订单缺少必填的自定义字段。订单不能更新。
pub const MANDATORY_FIELD_MISSING: &str = "7046";
/// 承运商账户通过erpNumber更新订单时必须提供clientCode。
pub const CLIENT_CODE_MISSING: &str = "7051";
/// 订单优化进行中,更新被拒绝。
pub const BEING_OPTIMISED: &str = "7054";
/// 其他错误。
pub const OTHER: &str = "7100";

/// What this operation calls a finding of the reading and the rules that it shares with
/// orderImport. It has no code for a wrong form or a wrong length.
pub fn instead_of(import_code: &str) -> &'static str {
    match import_code {
        codes::INVALID_DATA_TYPE => INVALID_DATA_TYPE,
        codes::CUSTOM_FIELD_UNKNOWN => CUSTOM_FIELD_UNKNOWN,
        codes::CUSTOM_ENUMERATION_UNDEFINED => CUSTOM_ENUMERATION_UNDEFINED,
        _ => OTHER,
    }
}
