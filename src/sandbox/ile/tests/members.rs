//! The members of a request, one by one: what the table requires, types, forms.

use super::*;

#[tokio::test]
async fn every_member_of_the_table_is_required_as_it_says() {
    let required = [
        "/data/orderNumber",
        "/data/packs",
        "/data/weight",
        "/data/cbm",
        "/data/battery",
        "/data/amazon_shipment_ids",
        "/data/amazon_po",
        "/data/currency",
        "/data/shipper",
        "/data/shipper/postcode",
        "/data/shipper/email",
        "/data/shipper/country",
        "/data/shipper/company",
        "/data/shipper/name",
        "/data/shipper/state",
        "/data/shipper/city",
        "/data/shipper/address",
        "/data/shipper/phone",
        "/data/consignee",
        "/data/consignee/name",
        "/data/consignee/postcode",
        "/data/consignee/state",
        "/data/consignee/suburb",
        "/data/consignee/address",
        "/data/consignee/phone",
        "/data/items",
    ];
    let optional = ["/data/cust_ref", "/data/consignee/email", "/data/consignee/company", "/data/parcelList"];
    for pointer in required {
        let bench = Bench::new();
        let (code, msg) = bench.edit(&with(pointer, None)).await;
        let name = pointer[1..].replace('/', ".");
        assert_eq!((code, msg), (500, format!("系统异常: {name} is missing")));
        assert!(bench.books(None).is_empty());
    }
    for pointer in optional {
        assert_eq!(Bench::new().edit(&with(pointer, None)).await.0, 200, "{pointer}");
    }
    let whole = with("/data/fbaWarehouseCode", Some(json!("BWU1")));
    assert_eq!(Bench::new().edit(&whole).await.0, 200);
    assert_eq!(Bench::new().edit(&with("/data", None)).await.1, "系统异常: data is missing");
}

#[tokio::test]
async fn types_forms_and_empty_texts_are_looked_at() {
    for (pointer, value, msg) in [
        ("/data/orderNumber", json!(1), "data.orderNumber is no string"),
        ("/data/orderNumber", json!(" "), "data.orderNumber is empty"),
        ("/data/cust_ref", json!(null), "data.cust_ref is no string"),
        ("/data/packs", json!(1), "data.packs is no string"),
        ("/data/packs", json!("1.0"), "data.packs is no count in digits"),
        ("/data/packs", json!("0"), "data.packs is no count in digits"),
        ("/data/weight", json!(20), "data.weight is no string"),
        ("/data/weight", json!("20kg"), "data.weight is no decimal"),
        ("/data/cbm", json!("-1"), "data.cbm is no decimal"),
        ("/data/cbm", json!("1."), "data.cbm is no decimal"),
        ("/data/battery", json!("3"), "data.battery is no 0, 1 or 2"),
        ("/data/battery", json!(0), "data.battery is no string"),
        ("/data/currency", json!("usd"), "data.currency is no currency of three letters"),
        ("/data/shipper", json!([]), "data.shipper is no object"),
        ("/data/shipper/name", json!(""), "data.shipper.name is empty"),
        ("/data/consignee/suburb", json!(""), "data.consignee.suburb is empty"),
        ("/data/consignee/email", json!(1), "data.consignee.email is no string"),
        ("/data/consignee/country", json!("AU"), "data.consignee.country is unknown"),
        ("/data/custRef", json!("x"), "data.custRef is there as cust_ref, too"),
        ("/data/colour", json!("red"), "data.colour is unknown"),
        ("/colour", json!("red"), "colour is unknown"),
        ("/data/items", json!({}), "data.items is no list of objects"),
        ("/data/items", json!([1]), "data.items is no list of objects"),
        ("/data/items", json!([]), "data.items is empty"),
        ("/data/parcelList", json!([]), "data.parcelList has another length than packs"),
        ("/data/packs", json!("2"), "data.parcelList has another length than packs"),
    ] {
        let (code, found) = Bench::new().edit(&with(pointer, Some(value.clone()))).await;
        assert_eq!((code, found), (500, format!("系统异常: {msg}")), "{pointer} {value}");
    }
    for pointer in ["/data/shipper/email", "/data/shipper/company", "/data/consignee/email", "/data/amazon_po"] {
        assert_eq!(Bench::new().edit(&with(pointer, Some(json!("")))).await.0, 200, "{pointer}");
    }
}

#[tokio::test]
async fn items_and_parcels_are_looked_at_one_by_one() {
    let item = json!({"name": "a", "nameZh": "中", "qty": "1.5", "price": "3"});
    let bare = with("/data/items", Some(json!([item])));
    assert_eq!(Bench::new().edit(&bare).await.0, 200);
    for (name, value, msg) in [
        ("name", None, "data.items[1].name is missing"),
        ("nameZh", None, "data.items[1].nameZh is missing"),
        ("qty", None, "data.items[1].qty is missing"),
        ("price", None, "data.items[1].price is missing"),
        ("price", Some(json!(3)), "data.items[1].price is no string"),
        ("qty", Some(json!("one")), "data.items[1].qty is no decimal"),
        ("hs", Some(json!(123)), "data.items[1].hs is no string"),
        ("sku", Some(json!("x")), "data.items[1].sku is unknown"),
    ] {
        let mut other = item.clone();
        match value {
            Some(value) => other[name] = value,
            None => drop(other.as_object_mut().unwrap().remove(name)),
        }
        let request = with("/data/items", Some(json!([item, other])));
        assert_eq!(Bench::new().edit(&request).await, (500, format!("系统异常: {msg}")));
    }
    for (name, value, msg) in [
        ("barcode", json!(null), "data.parcelList[0].barcode is no string"),
        ("parcelWidth", json!("2.0"), "data.parcelList[0].parcelWidth is no number of at least 0"),
        ("parcelHeight", json!(-1), "data.parcelList[0].parcelHeight is no number of at least 0"),
        ("parcelWeight", json!(null), "data.parcelList[0].parcelWeight is no number of at least 0"),
    ] {
        let mut request = example();
        request["data"]["parcelList"][0][name] = value;
        assert_eq!(Bench::new().edit(&request).await, (500, format!("系统异常: {msg}")));
    }
    for name in ["barcode", "parcelWidth", "parcelHeight", "parcelLength", "parcelWeight"] {
        let mut request = example();
        request["data"]["parcelList"][0].as_object_mut().unwrap().remove(name);
        let (_, msg) = Bench::new().edit(&request).await;
        assert_eq!(msg, format!("系统异常: data.parcelList[0].{name} is missing"));
    }
}

#[tokio::test]
async fn a_member_that_is_there_twice_is_found() {
    let text = example().to_string().replacen("\"packs\":", "\"weight\":\"1\",\"packs\":", 1);
    assert_eq!(
        Bench::new().edit_text(&text).await,
        (500, "系统异常: data.weight is there twice; data.weight is unknown".to_owned())
    );
}
