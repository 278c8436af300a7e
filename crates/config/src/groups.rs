//! The tables of settings, a file a group. Each row is `field: Kind = default, "meaning"`, then
//! where needed `names [..]` (the variables it is read from, first found wins; otherwise the upper-case
//! field name) and `ignored REASON` (known, checked, without effect here).

use crate::kind::Kind;
use crate::reader::Reader;
use crate::table::{Effective, Scope, Spec};

macro_rules! status {
    () => {
        $crate::table::Status::Honoured
    };
    ($reason:expr) => {
        $crate::table::Status::Ignored($reason)
    };
}

macro_rules! names {
    ($field:ident) => {
        &[]
    };
    ($field:ident $($name:literal)+) => {
        &[$($name),+]
    };
}

/// Declares the struct of one group from its table.
macro_rules! settings {
    (
        $(#[$about:meta])*
        $scope:ident $group:ident {
            $(
                $field:ident: $kind:ty = $default:expr, $meaning:literal
                $(, names [$($name:literal),+ $(,)?])?
                $(, ignored $reason:expr)?;
            )+
        }
    ) => {
        $(#[$about])*
        #[derive(Clone)]
        pub struct $group {
            $(
                #[doc = $meaning]
                pub $field: <$kind as $crate::kind::Kind>::Value,
            )+
        }

        impl $group {
            /// How many settings the group has.
            pub const SETTINGS: usize = Self::SPECS.len();

            const SPECS: &'static [$crate::table::Spec] = &[
                $(
                    $crate::table::Spec {
                        field: stringify!($field),
                        names: $crate::groups::names!($field $($($name)+)?),
                        meaning: $meaning,
                        status: $crate::groups::status!($($reason)?),
                        scope: $crate::table::Scope::$scope,
                    },
                )+
            ];

            pub(crate) fn read(reader: &mut $crate::reader::Reader) -> Self {
                let mut specs = Self::SPECS.iter();
                Self {
                    $(
                        $field: reader.read::<$kind>(specs.next(), $default),
                    )+
                }
            }
        }

        impl $crate::groups::Table for $group {
            fn specs(&self) -> &'static [$crate::table::Spec] {
                Self::SPECS
            }

            fn shown(&self) -> Vec<$crate::groups::Shown> {
                vec![$($crate::groups::Shown::of::<$kind>(&self.$field, $default),)+]
            }
        }

        // Settings hold secrets: a group never prints its values.
        impl std::fmt::Debug for $group {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($group)).finish_non_exhaustive()
            }
        }
    };
}

pub(crate) use {names, status};

mod deploy;
mod direct;
mod enterprise;
mod entrypoint;
mod extra;
mod feature;
mod middleware;
mod observability;
mod own;
mod packaging;
mod reasons;
pub(crate) use reasons::NOT_YET;
mod remote_settings_sources;

pub use deploy::Deploy;
pub use direct::Direct;
pub use enterprise::Enterprise;
pub use entrypoint::Entrypoint;
pub use extra::Extra;
pub use feature::Feature;
pub use middleware::Middleware;
pub use observability::Observability;
pub use own::Own;
pub use packaging::Packaging;
pub use remote_settings_sources::RemoteSettingsSources;

/// A value and its default as text.
pub(crate) struct Shown {
    pub(crate) value: String,
    pub(crate) default: String,
    pub(crate) kind: &'static str,
    pub(crate) textual: bool,
}

impl Shown {
    pub(crate) fn of<K: Kind>(value: &K::Value, default: K::Literal) -> Self {
        Self {
            value: K::show(value),
            default: K::show(&K::default(default)),
            kind: K::NAME,
            textual: K::TEXTUAL,
        }
    }
}

/// What documentation and `check-config` need of a group.
pub(crate) trait Table {
    fn specs(&self) -> &'static [Spec];
    /// In the order of [`Table::specs`].
    fn shown(&self) -> Vec<Shown>;
}

impl dyn Table + '_ {
    /// The rows of this group with values, secrets masked.
    pub(crate) fn effective(&self, reader: &Reader) -> Vec<Effective> {
        self.specs()
            .iter()
            .zip(self.shown())
            .map(|(spec, shown)| Effective {
                name: spec.name(),
                source: reader.source(spec),
                value: shown.masked(&spec.name()),
                is_default: shown.value == shown.default,
                status: spec.status(),
            })
            .collect()
    }
}

impl Shown {
    fn masked(&self, name: &str) -> String {
        if self.textual { crate::table::mask(name, &self.value) } else { self.value.clone() }
    }
}

/// Whether a variable of this scope may also come from the `.env` file.
pub(crate) const fn reads_dotenv(scope: Scope) -> bool {
    !matches!(scope, Scope::process)
}
