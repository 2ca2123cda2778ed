//! Fields of a form, among them those that a provider's schema describes, and the JSON that they make.

use askama::Template;
use serde_json::{Map, Value};

use super::failure::Refusal;
use super::language::{Language, texts};

texts! {
    usual: "As usual", "默认";
    pairs: "One a line: alias = value", "每行一个：别名 = 值";
    kept_out: "Type it again: a secret is not shown.", "请重新输入：密文不会回显。";
}

/// Members of a form as they were sent.
pub type Sent = Vec<(String, String)>;

/// What a field takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Address,
    Secret,
    Number,
    Switch,
    Choice,
    /// An object of texts, one member a line
    Pairs,
}

/// One field with its label, its hint and what is wrong with it.
#[derive(Template)]
#[template(path = "form_field.html")]
pub struct Field {
    kind: Kind,
    name: String,
    label: String,
    /// The label is a member's name and no word of a language
    is_member: bool,
    hint: String,
    /// Language of the hint, where it is not the page's
    hint_language: &'static str,
    value: String,
    is_required: bool,
    choices: Vec<String>,
    t: &'static Texts,
    wrong: Option<String>,
}

impl askama::filters::HtmlSafe for Field {}

impl Field {
    /// A field of ours.
    pub fn own(kind: Kind, name: &str, label: &str, hint: &str, is_required: bool, language: Language) -> Self {
        Field {
            kind,
            name: name.to_owned(),
            label: label.to_owned(),
            is_member: false,
            hint: hint.to_owned(),
            hint_language: "",
            value: String::new(),
            is_required,
            choices: Vec::new(),
            t: Texts::of(language),
            wrong: None,
        }
    }

    /// The fields of an object below `parent` of an account.
    pub fn of_schema(schema: &Value, parent: &str, language: Language) -> Vec<Field> {
        let t = Texts::of(language);
        let required = schema["required"].as_array().map(Vec::as_slice).unwrap_or_default();
        let properties = schema["properties"].as_object();
        let fields = properties.into_iter().flatten().map(|(member, schema)| {
            let kind = kind_of(schema);
            // Written for the API's documents, which lay out code.
            let described = schema["description"].as_str().unwrap_or_default().replace('`', "");
            let described = described.as_str();
            let (hint, hint_language) = match (kind, described) {
                (Kind::Pairs, "") => (t.pairs.to_owned(), ""),
                (Kind::Pairs, described) => (format!("{described}. {}", t.pairs), ""),
                (_, described) => (described.to_owned(), "en"),
            };
            let choices = schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str);
            Field {
                kind,
                name: format!("{parent}.{member}"),
                label: member.clone(),
                is_member: true,
                hint,
                hint_language,
                value: usual(kind, schema),
                is_required: required.iter().any(|name| name == member),
                choices: choices.map(str::to_owned).collect(),
                t,
                wrong: None,
            }
        });
        fields.collect()
    }

    fn is_on(&self) -> bool {
        self.value == "true"
    }

    /// Puts back what was written, secrets apart, and tells what is wrong.
    pub fn refill(&mut self, sent: &[(String, String)], refusal: &Refusal, language: Language) {
        self.value = match self.kind {
            Kind::Secret => String::new(),
            Kind::Switch => find(sent, &self.name).is_some().to_string(),
            _ => find(sent, &self.name).unwrap_or_default().to_owned(),
        };
        let pointer = format!("/{}", self.name.replace('.', "/"));
        let wrong = refusal.members(language).into_iter().find(|(at, _)| *at == pointer);
        self.wrong = wrong.map(|(_, words)| words.to_owned());
        if self.kind == Kind::Secret && self.wrong.is_none() {
            self.wrong = find(sent, &self.name).filter(|text| !text.is_empty()).map(|_| self.t.kept_out.to_owned());
        }
    }

    /// Whether the field tells of what is wrong at this pointer.
    pub fn tells_of(&self, pointer: &str) -> bool {
        pointer.strip_prefix('/').is_some_and(|path| path == self.name.replace('.', "/"))
    }
}

fn kind_of(schema: &Value) -> Kind {
    match schema["type"].as_str().unwrap_or_default() {
        "boolean" => Kind::Switch,
        "integer" | "number" => Kind::Number,
        "object" => Kind::Pairs,
        _ if schema["format"] == "password" => Kind::Secret,
        _ if schema["enum"].is_array() => Kind::Choice,
        _ => Kind::Text,
    }
}

/// What stands in a field that nobody has filled.
fn usual(kind: Kind, schema: &Value) -> String {
    match (kind, &schema["default"]) {
        (Kind::Secret | Kind::Pairs | Kind::Choice | Kind::Address, _) | (_, Value::Null) => String::new(),
        (_, Value::String(text)) => text.clone(),
        (_, value) => value.to_string(),
    }
}

/// What was written into a field.
pub fn find<'a>(sent: &'a [(String, String)], name: &str) -> Option<&'a str> {
    sent.iter().find(|(member, _)| member == name).map(|(_, value)| value.as_str())
}

/// The object below `parent` that the fields of its schema make. What was left empty, or as usual, is left out.
pub fn object(schema: &Value, parent: &str, sent: &[(String, String)]) -> Map<String, Value> {
    let mut members = Map::new();
    for (member, schema) in schema["properties"].as_object().into_iter().flatten() {
        let written = find(sent, &format!("{parent}.{member}"));
        let value = match (kind_of(schema), written) {
            (Kind::Switch, written) => {
                let usual = schema["default"].as_bool().unwrap_or_default();
                (written.is_some() != usual).then_some(Value::Bool(written.is_some()))
            }
            (Kind::Secret, Some(text)) if !text.is_empty() => Some(Value::from(text)),
            (Kind::Number, Some(text)) if !text.trim().is_empty() => {
                // What is no number is refused by the API, with its pointer.
                let number = serde_json::from_str(text.trim()).ok().filter(Value::is_number);
                let number = number.unwrap_or_else(|| Value::from(text));
                (number != schema["default"]).then_some(number)
            }
            (Kind::Pairs, Some(text)) if !text.trim().is_empty() => Some(pairs(text)),
            (Kind::Text | Kind::Address | Kind::Choice, Some(text)) if !text.trim().is_empty() => {
                Some(Value::from(text.trim()))
            }
            _ => None,
        };
        members.extend(value.map(|value| (member.clone(), value)));
    }
    members
}

fn pairs(text: &str) -> Value {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let members = lines.map(|line| {
        let (alias, value) = line.split_once('=').unwrap_or((line, ""));
        (alias.trim().to_owned(), Value::from(value.trim()))
    });
    Value::Object(members.collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema() -> Value {
        json!({"required": ["user"], "properties": {
            "user": {"type": "string"},
            "word": {"type": "string", "format": "password"},
            "seconds": {"type": "integer", "default": 30},
            "strict": {"type": "boolean", "default": true},
            "loose": {"type": "boolean", "default": false},
            "mode": {"type": "string", "enum": ["a", "b"]},
            "map": {"type": "object"},
        }})
    }

    fn made(sent: &[(&str, &str)]) -> Value {
        let sent: Sent = sent.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Value::Object(object(&schema(), "s", &sent))
    }

    #[test]
    fn what_is_left_as_usual_is_left_out() {
        let untouched =
            [("s.user", ""), ("s.word", ""), ("s.seconds", "30"), ("s.strict", "on"), ("s.mode", ""), ("s.map", " \n")];
        assert_eq!(made(&untouched), json!({}));
    }

    #[test]
    fn each_kind_makes_its_json() {
        let sent = [
            ("s.user", " me "),
            ("s.word", " a b "),
            ("s.seconds", "12"),
            ("s.loose", "on"),
            ("s.mode", "b"),
            ("s.map", "east = 0-11\r\n\r\nwest=a=b\nnone"),
            ("s.other", "x"),
        ];
        let map = json!({"east": "0-11", "west": "a=b", "none": ""});
        let wanted = json!({"user": "me", "word": " a b ", "seconds": 12, "strict": false, "loose": true, "mode": "b",
            "map": map});
        assert_eq!(made(&sent), wanted);
        assert_eq!(made(&[("s.strict", "on"), ("s.seconds", "soon")]), json!({"seconds": "soon"}));
    }

    #[test]
    fn a_secret_is_not_written_back() {
        let sent: Sent = vec![("s.word".into(), "geheim".into()), ("s.user".into(), "me".into())];
        let refusal = Refusal { status: 422, detail: String::new(), errors: Vec::new() };
        for mut field in Field::of_schema(&schema(), "s", Language::English) {
            field.refill(&sent, &refusal, Language::English);
            let page = field.render().unwrap();
            assert!(!page.contains("geheim"), "{page}");
            assert_eq!(field.name == "s.user", page.contains("value=\"me\""), "{page}");
        }
    }
}
