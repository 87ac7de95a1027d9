//! What the elements of the page do when they are pressed: the names that the markup and the
//! browser's one listener share.

/// An enum whose variants have an id each, which stands in an attribute of an element.
macro_rules! ids {
    ($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $variant:ident = $id:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[$of])* $variant,)*
        }

        impl $name {
            const IDS: &[($name, &'static str)] = &[$(($name::$variant, $id)),*];

            /// The value of the attribute.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self {
                    $($name::$variant => $id,)*
                }
            }

            /// What an id stands for.
            #[must_use]
            pub fn of(id: &str) -> Option<Self> {
                let mut ids = Self::IDS.iter();
                ids.find(|(_, known)| *known == id).map(|(action, _)| *action)
            }
        }
    };
}

ids! {
    /// What a button does: `data-act`. One that needs a value has it in `data-value`.
    Action {
        /// Opens the list of the row's hosts.
        Hosts = "hosts",
        /// Opens the list of the row's paths.
        Routes = "routes",
        /// Opens the menu of the row.
        Menu = "menu",
        /// Copies the first host.
        Host = "host",
        /// Copies every host.
        AllHosts = "all-hosts",
        /// Copies the address that the row answers at.
        Url = "url",
        /// Copies the first path.
        Path = "path",
        /// Copies the name.
        Name = "name",
        /// Opens the first host that can be opened.
        OpenHost = "open-host",
        /// Leaves the rows of the row's namespace.
        OnlyNamespace = "only-namespace",
        /// Leaves the rows of the row's class.
        OnlyClass = "only-class",
        /// Picks the row, or lets it go.
        Pick = "pick",
        /// Copies the kubectl command.
        Kubectl = "kubectl",
        /// Copies the row as Markdown.
        Report = "report",
        /// Copies the curl command.
        Curl = "curl",
        /// Opens the details.
        Open = "open",
        /// Opens the details at the YAML.
        Yaml = "yaml",
        /// Copies the YAML.
        CopyYaml = "copy-yaml",
        /// Opens the details at the changes.
        Changes = "changes",
        /// Copies the address of the details.
        Link = "link",
        /// Copies the text in `data-text`.
        Copy = "copy",
        /// Closes the details.
        Close = "close",
        /// Goes one line back.
        Previous = "previous",
        /// Goes one line on.
        Next = "next",
        /// Closes the popup.
        ClosePopup = "close-popup",
        /// Changes the height of the rows.
        Density = "density",
        /// Connects at once.
        Retry = "retry",
        /// Asks the server to try the Kubernetes API at once.
        TryNow = "try-now",
        /// Shows the changes that wait.
        Release = "release",
        /// Watches the whole cluster.
        WatchAll = "watch-all",
        /// Opens or closes a group; with Alt every group.
        Group = "group",
        /// Groups the rows by something else.
        GroupBy = "group-by",
        /// Removes a token of the search, by its place.
        Untoken = "untoken",
        /// Removes a word of the search, by its place.
        Without = "without",
        /// Searches for the value.
        Search = "search",
        /// Adds a word to the search, or removes it.
        ToggleWord = "toggle-word",
        /// Empties the search.
        Clear = "clear",
        /// Copies the address of this view.
        ViewLink = "view-link",
        /// Leaves a value out no more.
        LetIn = "let-in",
        /// Leaves the rows with a value of a field; with Alt all others.
        FilterBy = "filter-by",
        /// Lets every picked row go.
        Unpick = "unpick",
        /// Copies the names of the picked rows.
        PickedNames = "picked-names",
        /// Copies the hosts of the picked rows.
        PickedHosts = "picked-hosts",
        /// Copies the addresses of the picked rows.
        PickedUrls = "picked-urls",
        /// Copies the kubectl commands of the picked rows.
        PickedKubectl = "picked-kubectl",
        /// Compares the two picked rows.
        Compare = "compare",
        /// Loads the page anew.
        Reload = "reload",
    }
}

ids! {
    /// The popup that a button opens: `data-popup`.
    Opens {
        /// The choice of namespaces.
        Namespaces = "namespaces",
        /// Light, dark, or like the system.
        Theme = "theme",
        /// How to start with a cluster of one's own.
        Connect = "connect",
        /// How to grant a missing permission.
        Grant = "grant",
        /// On a phone: what rows are filtered and grouped by.
        Filters = "filters",
        /// On a phone: what the header has no room for.
        Menu = "menu",
        /// The state of the connection.
        Connection = "connection",
        /// What rows are grouped by.
        Group = "group",
        /// The columns.
        Columns = "columns",
        /// Every key.
        Help = "help",
        /// The settings.
        Settings = "settings",
        /// The values of the field in `data-field`.
        Facet = "facet",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn an_id_stands_for_one_thing() {
        for (action, id) in Action::IDS {
            assert_eq!((action.id(), Action::of(id)), (*id, Some(*action)));
        }
        for (opens, id) in Opens::IDS {
            assert_eq!((opens.id(), Opens::of(id)), (*id, Some(*opens)));
        }
        let actions: BTreeSet<_> = Action::IDS.iter().map(|(_, id)| id).collect();
        assert_eq!(actions.len(), Action::IDS.len());
        assert_eq!((Action::of("copied"), Opens::of("")), (None, None));
    }
}
