//! Who may use this simulator. No secrets: the sandbox prints the first, and these lines the second.

/// A main account (主账号), which stands for a company.
#[derive(Debug)]
pub struct User {
    pub name: &'static str,
    pub password: &'static str,
    pub uid: &'static str,
    /// createUserId, 创建人手机号
    pub phone: &'static str,
    /// createUsername, 创建人姓名
    pub person: &'static str,
    /// As the books call the owner of its orders (运单) and of its acceptance orders (受理单). Apart,
    /// because a number of ours may be one of each.
    pub shelves: [&'static str; 2],
}

pub static USERS: [User; 2] = [
    User {
        name: "demo",
        password: "onelane-demo-password",
        uid: "5bc725b6e4b07d20a861600f",
        phone: "19011223344",
        person: "小明",
        shelves: ["demo", "demo/受理单"],
    },
    User {
        name: "second",
        password: "onelane-second-password",
        uid: "558a2084e4b0ddab858a031e",
        phone: "19055667788",
        person: "小红",
        shelves: ["second", "second/受理单"],
    },
];

pub fn named(name: &str) -> Option<&'static User> {
    USERS.iter().find(|user| user.name == name)
}

/// How the meter calls everybody without a good token, or with a wrong password.
pub const NOT_ACCEPTED: &str = "(not accepted)";
