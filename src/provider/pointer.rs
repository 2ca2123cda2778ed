//! Where a canonical member stands, for the writers of documents.

/// A canonical member by the pointer of its parent and its name; formatted only when somebody reads it.
#[derive(Debug, Clone, Copy)]
pub struct Pointer<'a> {
    pub parent: &'a str,
    pub member: &'a str,
}

/// The member `member` of what stands at `parent`.
pub fn at<'a>(parent: &'a str, member: &'a str) -> Pointer<'a> {
    Pointer { parent, member }
}

impl From<Pointer<'_>> for String {
    fn from(Pointer { parent, member }: Pointer<'_>) -> String {
        let mut pointer = String::with_capacity(parent.len() + 1 + member.len());
        pointer.push_str(parent);
        pointer.push('/');
        pointer.push_str(member);
        pointer
    }
}
