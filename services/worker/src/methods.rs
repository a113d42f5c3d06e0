//! The methods, in alphabetical order. Adding one is a file under `methods/` and a line here.

use std::sync::LazyLock;

use crate::method::Entry;

macro_rules! methods {
    ($($module:ident::$method:ident),+ $(,)?) => {
        $(pub mod $module;)+

        static TABLE: LazyLock<Vec<Entry>> = LazyLock::new(|| {
            vec![$(Entry::of::<$module::$method>(wire_name(stringify!($module)), stringify!($method))),+]
        });
    };
}

methods! {
    account_get::AccountGet,
    group_add_members::GroupAddMembers,
    group_create::GroupCreate,
    group_delete::GroupDelete,
    group_get_invite_link::GroupGetInviteLink,
    group_remove_members::GroupRemoveMembers,
    group_rename::GroupRename,
    group_revoke_invite_link::GroupRevokeInviteLink,
    user_common_groups::UserCommonGroups,
}

/// Every method, in the order of their names.
pub fn all() -> &'static [Entry] {
    &TABLE
}

/// The method of that wire name.
pub fn find(name: &str) -> Option<&'static Entry> {
    TABLE.iter().find(|entry| entry.name == name)
}

/// `group_add_members` → `group.add_members`: the first underscore parts the area from the verb.
/// The name lives as long as the program: it is made once for each method.
fn wire_name(module: &str) -> &'static str {
    Box::leak(module.replacen('_', ".", 1).into_boxed_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_type_and_wire_name_are_one_name() {
        for entry in all() {
            let camel: String = entry
                .name
                .split(['.', '_'])
                .map(|word| word[..1].to_uppercase() + &word[1..])
                .collect();
            assert_eq!(camel, entry.type_name);
        }
    }

    #[test]
    fn the_list_is_in_alphabetical_order_and_holds_each_file() {
        let names: Vec<_> = all().iter().map(|entry| entry.name.replace('.', "_")).collect();
        assert!(names.is_sorted());
        let mut files: Vec<_> =
            std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/methods"))
                .unwrap()
                .map(|file| {
                    file.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned()
                })
                .collect();
        files.sort();
        assert_eq!(names, files);
    }
}
