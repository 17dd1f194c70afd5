//! How a record becomes a row and a row a record, once for every kind. Which field stands in which column is told where
//! the kind is.

/// A row of a table of records, as it is written.
pub(in crate::store) trait RecordRow {
    /// What is read of it: all but what only the database looks at.
    type Read;
}

/// Whether a value is the one that is read where there is none, so that it need not be stored.
pub(in crate::store) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Makes the row type of a table that holds records with these fields. Every field is named once, under how it is stored:
///
/// ```text
/// record_row! {
///     OrganizationRow of OrganizationFields in organizations;
///     columns { name: String, }                     a column of the field's own name and type
///     json { links: Keyed<ProfileLink>, }           the same, as JSON
///     json_or_null { how_met: HowMet, }             an optional field, as JSON or NULL
///     json_groups { profile: ProfileJson { skills: Vec<LabelText>, } }    several fields in one column
///     input { name: Option<String>, }               only in requests, never stored
///     computed { sort_key: String = |fields| text::sort_key(&fields.name), }    written, never read
/// }
/// ```
///
/// Fields are taken apart without `..`, so a new one does not compile until it is named here.
macro_rules! record_row {
    (
        $Row:ident of $Fields:ident in $table:ident;
        columns { $($column:ident: $Column:ty,)* }
        $(json { $($json:ident: $Json:ty,)* })?
        $(json_or_null { $($maybe:ident: $Maybe:ty,)* })?
        $(json_groups { $($group:ident: $Group:ident { $($part:ident: $Part:ty,)* })* })?
        $(input { $($input:ident: $Input:ty,)* })?
        $(computed { $($computed:ident: $Computed:ty = |$of:ident| $value:expr,)* })?
    ) => {
        $($(
            /// Fields that are neither filtered nor sorted by, in one column.
            #[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
            #[serde(default)]
            struct $Group {
                $(
                    #[serde(skip_serializing_if = "crate::store::db::write::row::is_default")]
                    $part: $Part,
                )*
            }
        )*)?

        struct $Row {
            workspace_id: $crate::domain::id::WorkspaceId,
            id: <$Fields as $crate::domain::record::Fields>::Id,
            version: i64,
            created_at: $crate::domain::timestamp::Timestamp,
            updated_at: $crate::domain::timestamp::Timestamp,
            $($column: $Column,)*
            $($($json: $crate::store::db::sql::types::AsJson<$Json>,)*)?
            $($($maybe: Option<$crate::store::db::sql::types::AsJson<$Maybe>>,)*)?
            $($($group: $crate::store::db::sql::types::AsJson<$Group>,)*)?
            $($($computed: $Computed,)*)?
        }

        impl $Row {
            fn of(
                workspace_id: $crate::domain::id::WorkspaceId,
                record: $crate::domain::record::Stored<$Fields>,
            ) -> Self {
                use $crate::domain::record::Stored;

                let Stored { id, fields, created_at, updated_at, version } = record;
                $($(let $computed: $Computed = {
                    let $of = &fields;
                    $value
                };)*)?
                let $Fields {
                    $($column,)* $($($json,)*)? $($($maybe,)*)? $($($($part,)*)*)? $($($input: _,)*)?
                } = fields;
                Self {
                    workspace_id,
                    id,
                    version,
                    created_at,
                    updated_at,
                    $($column,)*
                    $($($json: $crate::store::db::sql::types::AsJson($json),)*)?
                    $($($maybe: $maybe.map($crate::store::db::sql::types::AsJson),)*)?
                    $($($group: $crate::store::db::sql::types::AsJson($Group { $($part,)* }),)*)?
                    $($($computed,)*)?
                }
            }

        }

        const _: () = {
            #[derive(diesel::Queryable, diesel::Selectable)]
            #[diesel(table_name = $table)]
            struct Read {
                id: <$Fields as $crate::domain::record::Fields>::Id,
                version: i64,
                created_at: $crate::domain::timestamp::Timestamp,
                updated_at: $crate::domain::timestamp::Timestamp,
                $($column: $Column,)*
                $($($json: $crate::store::db::sql::types::AsJson<$Json>,)*)?
                $($($maybe: Option<$crate::store::db::sql::types::AsJson<$Maybe>>,)*)?
                $($($group: $crate::store::db::sql::types::AsJson<$Group>,)*)?
            }

            impl $crate::store::db::write::row::RecordRow for $Row {
                type Read = Read;
            }

            impl From<Read> for $crate::domain::record::Stored<$Fields> {
                fn from(read: Read) -> Self {
                    let Read {
                        id,
                        version,
                        created_at,
                        updated_at,
                        $($column,)*
                        $($($json: $crate::store::db::sql::types::AsJson($json),)*)?
                        $($($maybe,)*)?
                        $($($group: $crate::store::db::sql::types::AsJson($Group { $($part,)* }),)*)?
                    } = read;
                    $($(let $maybe = $maybe.map(|json| json.0);)*)?
                    $($(let $input = <$Input>::default();)*)?
                    let fields = $Fields {
                        $($column,)* $($($json,)*)? $($($maybe,)*)? $($($($part,)*)*)? $($($input,)*)?
                    };
                    Self { id, fields, created_at, updated_at, version }
                }
            }
        };

        $crate::store::db::sql::rows::table_row!($Row, $table:
            workspace_id, id;
            version, created_at, updated_at, $($column,)* $($($json,)*)? $($($maybe,)*)? $($($group,)*)?
            $($($computed,)*)?
        );
    };
}
pub(in crate::store) use record_row;
