//! The operations that every kind of record has, written once: a resource names them and says what is its own.

/// The handlers of a record and a function `record_routes` that registers them. What each does is in `records.rs`; what
/// a resource brings is told by its `Resource` and its `Collection`.
macro_rules! record_operations {
    (
        record: $Record:ty, fields: $Fields:ident, page: $Page:ident, collection: $collection:ident,
        tag: $tag:tt, read: $read:tt, write: $write:tt, $(conflicts: $conflicts:tt,)?
        list: $list:ident $list_path:tt $list_summary:tt,
        create: $create:ident $create_summary:tt $create_example:tt,
        get: $get:ident $path:tt $get_summary:tt,
        replace: $replace:ident $replace_summary:tt,
        update: $update:ident $update_summary:tt $update_example:tt,
        delete: $delete:ident $delete_summary:tt $delete_errors:tt,
        restore: $restore:ident $restore_path:tt $restore_summary:tt,
        history: $history:ident $history_path:tt $history_summary:tt $(,)?
    ) => {
        fn record_routes(config: &mut ServiceConfig<'_>) {
            config
                .service($list)
                .service($create)
                .service($get)
                .service($replace)
                .service($update)
                .service($delete)
                .service($restore)
                .service($history);
        }

        /// A page of the list.
        #[derive(utoipa::ToSchema)]
        #[allow(dead_code, reason = "documents what the list mechanism writes")]
        struct $Page {
            /// The records.
            items: Vec<$Record>,
            /// Where the next page begins, to send as `cursor`; null on the last page.
            next_cursor: Option<String>,
            /// How many fit in all; with `count=true` only.
            #[schema(required = false)]
            total: i64,
            /// What the ETag of each of these records begins with: it is `"<etag_prefix>.<version>"`, to send as `If-Match`
            /// without reading the record again.
            #[schema(example = "E5b7_Ckx.1")]
            etag_prefix: String,
        }

        #[doc = $list_summary]
        #[doc = ""]
        #[doc = "By id, the newest first, unless `sort` says otherwise; goes on with `next_cursor`. The ETag is of all that is in the"]
        #[doc = "workspace, so that polling an unchanged list costs next to nothing."]
        #[utoipa::path(tag = $tag, security(("bearer" = [$read])),
            responses((status = 200, description = "A page.", body = $Page)))]
        #[get($list_path)]
        async fn $list(
            api: Data<Api>,
            caller: Caller,
            request: HttpRequest,
            query: Query,
        ) -> Result<HttpResponse, Problem> {
            records::list::<$Record>(&api, &caller, &request, &query, &$collection).await
        }

        #[doc = $create_summary]
        #[doc = ""]
        #[doc = "The id may be yours, so that a record made offline keeps it."]
        #[utoipa::path(tag = $tag, security(("bearer" = [$write])),
            request_body(content = $Fields, example = json!($create_example)),
            extensions(("x-errors" = json!(["id_taken", "deleted"])) $(, ("x-conflicts" = json!($conflicts)))?),
            responses((status = 201, description = "The record as it was made.", body = $Record)))]
        #[post($list_path)]
        async fn $create(
            api: Data<Api>,
            caller: Caller,
            request: HttpRequest,
            body: Body,
        ) -> Result<HttpResponse, Problem> {
            records::create::<$Record>(&api, &caller, &request, body).await
        }

        #[doc = $get_summary]
        #[utoipa::path(tag = $tag, security(("bearer" = [$read])),
            responses((status = 200, description = "The record.", body = $Record)))]
        #[get($path)]
        async fn $get(
            api: Data<Api>,
            caller: Caller,
            request: HttpRequest,
            query: Query,
        ) -> Result<HttpResponse, Problem> {
            records::get::<$Record>(&api, &caller, &request, &query, &$collection).await
        }

        #[doc = $replace_summary]
        #[doc = ""]
        #[doc = "`If-None-Match: *` makes it, `If-Match` replaces it whole: what is left out takes its default. What the server sets"]
        #[doc = "may stand in the body where it is what it is now, so that a record that was read can be edited and sent back."]
        #[utoipa::path(tag = $tag, security(("bearer" = [$write])),
            request_body(content = $Fields, example = json!($create_example)),
            extensions(("x-errors" = json!(["deleted"])) $(, ("x-conflicts" = json!($conflicts)))?),
            responses((status = 200, description = "The record as it is now.", body = $Record),
                      (status = 201, description = "The record as it was made.", body = $Record)))]
        #[put($path)]
        async fn $replace(
            api: Data<Api>,
            caller: Caller,
            request: HttpRequest,
            body: Body,
        ) -> Result<HttpResponse, Problem> {
            records::replace::<$Record>(&api, &caller, &request, body).await
        }

        #[doc = $update_summary]
        #[doc = ""]
        #[doc = "A JSON Merge Patch (RFC 7396): what is absent stays, null clears, maps merge by key, lists are replaced. One that"]
        #[doc = "changes nothing leaves the version as it is."]
        #[utoipa::path(tag = $tag, security(("bearer" = [$write])),
            request_body(content = $Fields, example = json!($update_example)),
            $(extensions(("x-conflicts" = json!($conflicts))),)?
            responses((status = 200, description = "The record as it is now.", body = $Record)))]
        #[patch($path)]
        async fn $update(
            api: Data<Api>,
            caller: Caller,
            request: HttpRequest,
            body: Body,
        ) -> Result<HttpResponse, Problem> {
            records::patch::<$Record>(&api, &caller, &request, body).await
        }

        #[doc = $delete_summary]
        #[doc = ""]
        #[doc = "It can be restored for 30 days, with everything that went along."]
        #[utoipa::path(tag = $tag, security(("bearer" = [$write])),
            params(("purge" = Option<bool>, Query, description = "Also erase what the log holds of it. It cannot be taken back.")),
            extensions(("x-errors" = json!($delete_errors))),
            responses((status = 204, description = "It is gone.")))]
        #[delete($path)]
        async fn $delete(
            api: Data<Api>,
            caller: Caller,
            request: HttpRequest,
            query: Query,
        ) -> Result<HttpResponse, Problem> {
            records::delete::<$Record>(&api, &caller, &request, &query).await
        }

        #[doc = $restore_summary]
        #[doc = ""]
        #[doc = "Finds the delete and takes it back, with all that went along: all of it, or nothing. What referred to it refers to it"]
        #[doc = "again, unless it refers to something else by now. Where anything could not come back as it was (a name is taken, a"]
        #[doc = "record that it refers to is gone, the record it was merged into has changed since), nothing is changed, and 409"]
        #[doc = "`restore_blocked` names it in `left_alone`, and in its detail the number to POST to `/v1/changes/{version}/revert`"]
        #[doc = "for who wants the rest all the same. A record that exists is answered as it is."]
        #[utoipa::path(tag = $tag, security(("bearer" = [$write])),
            extensions(("x-errors" = json!(["restore_blocked"]))),
            responses((status = 200, description = "The record as it is now.", body = $Record)))]
        #[post($restore_path)]
        async fn $restore(
            api: Data<Api>,
            caller: Caller,
            request: HttpRequest,
            body: Body,
        ) -> Result<HttpResponse, Problem> {
            records::restore::<$Record>(&api, &caller, &request, body).await
        }

        #[doc = $history_summary]
        #[doc = ""]
        #[doc = "WriteContext changed which field when, newest first, with the values while they are kept. Of a deleted record too."]
        #[utoipa::path(tag = $tag, security(("bearer" = [$read])),
            params(
                ("cursor" = Option<String>, Query, description = "Where to go on: `next_cursor` of the page before.", max_length = 2048),
                ("limit" = Option<i64>, Query, description = "How many entries a page holds at most. Default: 50.", minimum = 1, maximum = 200)),
            responses((status = 200, description = "A page.", body = crate::api::changes::HistoryPage)))]
        #[get($history_path)]
        async fn $history(
            api: Data<Api>,
            caller: Caller,
            request: HttpRequest,
            query: Query,
        ) -> Result<HttpResponse, Problem> {
            records::history::<$Record>(&api, &caller, &request, &query).await
        }
    };
}
pub(in crate::api) use record_operations;

/// The two handlers of a kind of record under another: the list of those that belong to the record in the path, which
/// `within` tells, and making one that does. The field that refers to that record is not in the body; which one it is
/// tells `domain/entity.rs`.
macro_rules! nested_operations {
    (
        record: $Record:ty, under: $Parent:ty, fields: $Fields:ident, page: $Page:ident, collection: $collection:ident,
        tag: $tag:tt, read: $read:tt, write: $write:tt,
        list: $list:ident $path:tt $list_summary:tt $($list_more:literal)?, within: $within:expr,
        create: $create:ident $create_summary:tt $create_example:tt $(,)?
    ) => {
        #[doc = $list_summary]
        $(
            #[doc = ""]
            #[doc = $list_more]
        )?
        #[utoipa::path(tag = $tag, security(("bearer" = [$read])),
            responses((status = 200, description = "A page.", body = $Page)))]
        #[get($path)]
        async fn $list(
            api: Data<Api>,
            caller: Caller,
            request: HttpRequest,
            query: Query,
        ) -> Result<HttpResponse, Problem> {
            records::list_under::<$Parent, $Record>(&api, &caller, &request, &query, &$collection, $within).await
        }

        #[doc = $create_summary]
        #[doc = ""]
        #[doc = "The path says what it belongs to, so the body does not. The id may be yours, so that a record made offline"]
        #[doc = "keeps it."]
        #[utoipa::path(tag = $tag, security(("bearer" = [$write])),
            request_body(content = $Fields, example = json!($create_example)),
            extensions(("x-errors" = json!(["id_taken", "deleted"]))),
            responses((status = 201, description = "The record as it was made.", body = $Record)))]
        #[post($path)]
        async fn $create(
            api: Data<Api>,
            caller: Caller,
            request: HttpRequest,
            body: Body,
        ) -> Result<HttpResponse, Problem> {
            records::create_under::<$Parent, $Record>(&api, &caller, &request, body).await
        }
    };
}
pub(in crate::api) use nested_operations;
