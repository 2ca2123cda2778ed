//! JSON Schema validation that reports every error at once, in both languages, with RFC 6901 pointers.
//! The schemas come from the same Rust types as the OpenAPI file, so the two cannot drift.

use std::sync::LazyLock;

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::json::{Json, JsonNumber as _, Node as _};
use jsonschema::{Draft, Keyword, ValidationError, Validator};
use serde_json::{Map, Value};

use crate::canonical::{DECIMAL_KEYWORD, Decimal, DecimalError, FieldError, SignedDecimal, escape_token};
use crate::tree::{Tree, TreeValidator};

/// Errors of one document that are reported at most; a hostile document could have millions.
const MOST_ERRORS: usize = 200;

/// A compiled schema.
pub struct SchemaValidator {
    of_values: Validator,
    /// The same for documents that are read as they were written; compiled when the first one comes
    of_trees: LazyLock<TreeValidator, Box<dyn FnOnce() -> TreeValidator + Send>>,
}

impl SchemaValidator {
    /// Compiles a schema that the program itself declares.
    ///
    /// # Panics
    /// When the schema is no JSON Schema, which every test run would show.
    pub fn new(schema: Value) -> Self {
        SchemaValidator { of_values: compiled(&schema), of_trees: LazyLock::new(Box::new(move || compiled(&schema))) }
    }

    /// Whether nothing is wrong with a document that was read as it was written.
    pub fn is_valid(&self, document: &Tree<'_>) -> bool {
        self.of_trees.is_valid(document)
    }

    /// Everything that is wrong with the document.
    pub fn errors(&self, document: &Value) -> Vec<FieldError> {
        // Most are valid, and to see that takes half as long as to look for all errors.
        if self.of_values.is_valid(document) {
            return Vec::new();
        }
        self.of_values.iter_errors(document).take(MOST_ERRORS).flat_map(|error| describe(&error)).collect()
    }
}

#[expect(clippy::expect_used, reason = "the schemas are compiled in; a broken one is a bug that every start shows")]
fn compiled<F: Json>(schema: &Value) -> Validator<F> {
    jsonschema::options_for::<F>()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(true)
        .with_keyword(DECIMAL_KEYWORD, |_parent, value, _path| {
            Ok(Box::new(DecimalDigits { signed: value.as_str() == Some("signed") }))
        })
        .build(schema)
        .expect("a schema of our own compiles")
}

/// Checks the digits of a decimal: JSON Schema's `pattern` does not apply to numbers.
struct DecimalDigits {
    signed: bool,
}

impl DecimalDigits {
    fn check(&self, text: &str) -> Result<(), DecimalError> {
        if self.signed { text.parse::<SignedDecimal>().map(drop) } else { text.parse::<Decimal>().map(drop) }
    }
}

impl<'i, F: Json> Keyword<'i, F> for DecimalDigits {
    fn validate(&self, instance: F::Node<'i>) -> Result<(), ValidationError<'i>> {
        // Strings are checked by the pattern, negative numbers by the minimum.
        let Some(number) = instance.as_number() else { return Ok(()) };
        match self.check(&number.as_str()) {
            Err(error @ DecimalError::TooManyDigits) => Err(ValidationError::custom(error.to_string())),
            Ok(()) | Err(DecimalError::Negative | DecimalError::NotANumber) => Ok(()),
        }
    }

    fn is_valid(&self, instance: F::Node<'i>) -> bool {
        Keyword::<F>::validate(self, instance).is_ok()
    }
}

/// One or more field errors for one schema error: every unexpected member is an error of its own.
fn describe(error: &ValidationError<'_>) -> Vec<FieldError> {
    let at = error.instance_path().as_str().to_owned();
    let one =
        |code: &str, detail: String, detail_zh: String| vec![FieldError::new(at.clone(), code, detail, detail_zh)];
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => unexpected
            .iter()
            .map(|name| {
                FieldError::new(
                    format!("{at}/{}", escape_token(name)),
                    "validation.unknown_member",
                    "is not a member that exists here",
                    "此处不存在该字段",
                )
            })
            .collect(),
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            vec![FieldError::new(
                format!("{at}/{}", escape_token(name)),
                "validation.missing",
                "is required",
                "为必填字段",
            )]
        }
        ValidationErrorKind::Type { kind } => {
            let expected = match kind {
                TypeKind::Single(single) => single.to_string(),
                TypeKind::Multiple(several) => {
                    several.iter().map(|json_type| json_type.to_string()).collect::<Vec<_>>().join(" or ")
                }
            };
            one("validation.invalid_type", format!("must be of type {expected}"), format!("类型必须为 {expected}"))
        }
        ValidationErrorKind::Enum { options } => {
            let options = options
                .as_array()
                .map(|options| {
                    options.iter().map(|option| option.as_str().unwrap_or_default()).collect::<Vec<_>>().join(", ")
                })
                .unwrap_or_default();
            one("validation.invalid_value", format!("must be one of: {options}"), format!("必须为以下值之一:{options}"))
        }
        ValidationErrorKind::MaxLength { limit } => one(
            "validation.too_long",
            format!("must not be longer than {limit} characters"),
            format!("长度不得超过 {limit} 个字符"),
        ),
        ValidationErrorKind::MinLength { limit } => one(
            "validation.too_short",
            format!("must have at least {limit} characters"),
            format!("长度不得少于 {limit} 个字符"),
        ),
        ValidationErrorKind::MaxItems { limit } => {
            one("validation.too_long", format!("must not have more than {limit} items"), format!("不得超过 {limit} 项"))
        }
        ValidationErrorKind::MinItems { limit } => {
            one("validation.too_short", format!("must have at least {limit} items"), format!("不得少于 {limit} 项"))
        }
        ValidationErrorKind::Minimum { limit } => {
            one("validation.out_of_range", format!("must not be less than {limit}"), format!("不得小于 {limit}"))
        }
        ValidationErrorKind::Maximum { limit } => {
            one("validation.out_of_range", format!("must not be more than {limit}"), format!("不得大于 {limit}"))
        }
        ValidationErrorKind::Pattern { pattern } => one(
            "validation.invalid_format",
            format!("must match the pattern {pattern}"),
            format!("格式必须匹配 {pattern}"),
        ),
        ValidationErrorKind::Format { format } => {
            one("validation.invalid_format", format!("must be a valid {format}"), format!("必须为有效的 {format}"))
        }
        ValidationErrorKind::PropertyNames { .. } => one(
            "validation.invalid_format",
            "has a member whose name is not allowed here".to_owned(),
            "包含不允许的字段名".to_owned(),
        ),
        ValidationErrorKind::Custom { message, .. } => {
            one("validation.out_of_range", message.clone(), "小数点前不得超过 18 位,小数点后不得超过 6 位".to_owned())
        }
        other => one(
            "validation.invalid_value",
            format!("breaks the rule {}", other.keyword()),
            format!("不满足规则 {}", other.keyword()),
        ),
    }
}

/// Takes `null` out of the types of optional members: in a request an absent member is left out, and a
/// null where none is meant is an error, not an absence.
pub fn without_nulls(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        Value::Object(members) => {
            if let Some(properties) = members.get_mut("properties").and_then(Value::as_object_mut) {
                for property in properties.values_mut().filter_map(Value::as_object_mut) {
                    remove_null_type(property);
                }
            }
            members.values_mut().for_each(without_nulls);
        }
        _ => {}
    }
}

fn remove_null_type(property: &mut Map<String, Value>) {
    if let Some(types) = property.get_mut("type").and_then(Value::as_array_mut) {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            property.insert("type".to_owned(), only);
        }
    }
    // Option<Struct> is oneOf[null, $ref].
    if let Some(choices) = property.get_mut("oneOf").and_then(Value::as_array_mut) {
        choices.retain(|choice| choice.get("type").is_none_or(|name| name != "null"));
        if let [Value::Object(only)] = choices.as_slice() {
            let only = only.clone();
            property.remove("oneOf");
            for (name, value) in only {
                property.entry(name).or_insert(value);
            }
        }
    }
}
