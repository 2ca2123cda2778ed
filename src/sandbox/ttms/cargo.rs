//! The cargo of an order, and of an acceptance order.

use serde_json::{Map, Number, Value, json};

use super::members::{Members, sum};
use super::party::replace;

pub const NOTES: [&str; 12] =
    ["note1", "note2", "note3", "note4", "note5", "note6", "note7", "note8", "note9", "note10", "note11", "note12"];

const CARGO_NOTES: usize = 6;

/// One entry of a cargo list.
#[derive(Debug, Clone, Default)]
pub struct Cargo {
    /// 货物号, which only /cargo/add gives.
    pub number: Option<String>,
    pub measures: Measures,
    pub notes: [Option<String>; CARGO_NOTES],
    /// Given when it is entered.
    pub id: String,
    pub created: i64,
}

/// What /cargo/update can change, too.
#[derive(Debug, Clone, Default)]
pub struct Measures {
    pub name: Option<String>,
    pub quantity: Option<Number>,
    pub weight: Option<Number>,
    pub volume: Option<Number>,
    pub value: Option<Number>,
    /// 货物备注
    pub product_model: Option<String>,
}

impl Cargo {
    pub fn read(cargo: &mut Members) -> Self {
        let measures = Measures {
            name: cargo.text("name"),
            quantity: cargo.number("quantity"),
            weight: cargo.number("weight"),
            volume: cargo.number("volume"),
            value: cargo.number("value"),
            product_model: cargo.text("productModel"),
        };
        Self { measures, notes: std::array::from_fn(|index| cargo.text(NOTES[index])), ..Self::default() }
    }

    /// A copy of what was read, as an entry of `cargoList`.
    pub fn written(&self) -> Value {
        let Self { number, measures, notes, id: _, created: _ } = self;
        let Measures { name, quantity, weight, volume, value, product_model } = measures;
        let mut document = Map::new();
        let texts = [("cargoNumber", number), ("name", name), ("productModel", product_model)];
        let texts = texts.into_iter().chain(NOTES.into_iter().zip(notes));
        document.extend(texts.filter_map(|(member, text)| Some((member.to_owned(), text.as_deref()?.into()))));
        let numbers = [("quantity", quantity), ("value", value), ("volume", volume), ("weight", weight)];
        let known = numbers.into_iter().filter_map(|(member, number)| Some((member.to_owned(), number.clone()?)));
        document.extend(known.map(|(member, number)| (member, number.into())));
        document.into()
    }

    /// With the members that all answers show alike; `remark` is how they call [`Measures::product_model`].
    pub fn shown(&self, remark: &str) -> Map<String, Value> {
        let Measures { name, quantity, weight, volume, value, product_model } = &self.measures;
        shown(remark, name.as_deref(), [quantity, weight, volume, value], product_model.as_deref(), &self.notes)
    }
}

impl Measures {
    /// In /cargo/add and /cargo/update, where all are texts.
    pub fn read_texts(cargo: &mut Members) -> Self {
        Self {
            weight: cargo.number_text("weight"),
            volume: cargo.number_text("volume"),
            quantity: cargo.number_text("quantity"),
            value: cargo.number_text("value"),
            name: cargo.text("name"),
            product_model: cargo.text("productModel"),
        }
    }

    pub fn modify(&mut self, change: Measures) {
        let Measures { name, quantity, weight, volume, value, product_model } = change;
        replace(&mut self.name, name);
        replace(&mut self.quantity, quantity);
        replace(&mut self.weight, weight);
        replace(&mut self.volume, volume);
        replace(&mut self.value, value);
        replace(&mut self.product_model, product_model);
    }
}

/// The member `cargo` of answers: sums over the list, and texts of its first entry (取第一个货物的名字).
pub fn totals(cargoes: &[Cargo], remark: &str) -> Map<String, Value> {
    let total = |of: fn(&Measures) -> &Option<Number>| sum(cargoes.iter().map(|it| of(&it.measures).as_ref()));
    let sums = [total(|it| &it.quantity), total(|it| &it.weight), total(|it| &it.volume), total(|it| &it.value)];
    let first = cargoes.first().cloned().unwrap_or_default();
    let Measures { name, product_model, .. } = &first.measures;
    shown(remark, name.as_deref(), sums.each_ref(), product_model.as_deref(), &first.notes)
}

/// `numbers` are quantity, weight, volume and value.
fn shown(
    remark: &str,
    name: Option<&str>,
    numbers: [&Option<Number>; 4],
    product_model: Option<&str>,
    notes: &[Option<String>; CARGO_NOTES],
) -> Map<String, Value> {
    let mut members = Map::new();
    members.insert("name".to_owned(), json!(name));
    for (member, number) in ["quantity", "weight", "volume", "value"].into_iter().zip(numbers) {
        members.insert(member.to_owned(), json!(number));
    }
    members.insert(remark.to_owned(), json!(product_model));
    for (member, note) in NOTES.into_iter().zip(notes) {
        members.insert(member.to_owned(), note.as_deref().unwrap_or_default().into());
    }
    members
}
