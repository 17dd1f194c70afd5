//! Merging records as an operation.

use serde_json::{Value, json};

use super::operations::if_named_in_lists;
use super::resource::Resource;
use crate::api::context::Context;
use crate::api::http::messages::problem::{Code, Problem};
use crate::api::http::operation::{Access, Docs, Operation, Run, Write};
use crate::api::http::parameter::Parameter;
use crate::service::records::merge::{Merge, MergeRequest, Mergeable, Merged};
use crate::store::Answer;
use actix_web::http::Method;

/// `POST /v1/contacts/merge`, with a description of what becomes of the fields.
pub fn operation<R: Resource + Mergeable>(
    description: &'static str,
    example: fn() -> Value,
    errors: &'static [Code],
) -> Operation {
    let (plural, area) = (R::ENTITY.plural(), R::ENTITY.area());
    Operation::new(
        Method::POST,
        format!("/v1/{}/merge", R::ENTITY.segment()),
        format!("merge_{plural}"),
        Access::scope(format!("{area}:write")),
        Run::Write(merge::<R>),
        move || {
            let docs = Docs::new(R::TEXTS.tag, format!("Merge {}", R::TEXTS.many))
                .description(description)
                .parameter(Parameter::dry_run("Return the result without changing anything."))
                .request::<MergeRequest<R>>(example())
                .answer::<Merged<R>>(200, "The merged record.")
                .errors(errors);
            if_named_in_lists::<R>(docs)
        },
    )
}

fn merge<R: Resource + Mergeable>(context: &Context) -> Result<Write, Problem> {
    let dry_run = context.query().flag("dry_run")?;
    let checked = Merge::check::<R>(context.call.body.value.clone())?;
    let write = Write::new(move |tx| {
        let (record, merged) = checked.write::<R>(tx)?;
        let id = record.id();
        Ok(Answer::Json {
            status: 200,
            body: Box::new(move |settled| {
                Ok(json!({
                    R::ENTITY.as_str(): settled.record(R::ENTITY, id)?,
                    "merged_ids": merged,
                    "write": settled.write_number().filter(|_| !dry_run),
                    "dry_run": dry_run,
                }))
            }),
        })
    });
    Ok(Write { dry_run, ..write })
}
