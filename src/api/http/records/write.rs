//! Writes of records as operations: what is read from a request, and what is answered.

use super::resource::Resource;
use crate::api::context::Context;
use crate::api::http::messages::problem::{Code, Problem};
use crate::api::http::operation::Write;
use crate::domain::reference::reference;
use crate::service::records::write::{
    Create, Parent, Patch, Replace, delete as delete_record, restore as restore_record,
};
use crate::store::{Answer, Precondition};

pub fn create<R: Resource>(context: &Context) -> Result<Write, Problem> {
    create_within::<R>(context, None)
}

/// Creates a record that belongs to the record in the path, which has to exist.
pub fn create_under<P: Resource, R: Resource>(context: &Context) -> Result<Write, Problem> {
    let field = parent_field::<P, R>().ok_or_else(|| Problem::new(Code::Internal))?;
    let is_list = reference(R::ENTITY, P::ENTITY).is_some_and(|reference| reference.join.is_some());
    create_within::<R>(context, Some(Parent { entity: P::ENTITY, id: context.id()?, field, is_list }))
}

/// The field of a record that refers to the record it is created under.
pub fn parent_field<P: Resource, R: Resource>() -> Option<&'static str> {
    reference(R::ENTITY, P::ENTITY).and_then(|reference| reference.pointer.strip_prefix('/'))
}

fn create_within<R: Resource>(context: &Context, parent: Option<Parent>) -> Result<Write, Problem> {
    require_all::<R>(context)?;
    let store = &context.api.store;
    let checked = Create::<R>::check(context.call.body.value.clone(), parent, store.new_id(), store.now())?;
    Ok(Write::new(move |tx| {
        let record = checked.write(tx)?;
        Ok(Answer::Record { status: 201, entity: R::ENTITY, id: record.id() })
    }))
}

/// Whether the caller may create all that the request does.
fn require_all<R: Resource>(context: &Context) -> Result<(), Problem> {
    let also = R::also_creates(&context.call.body.value);
    also.iter().try_for_each(|entity| context.caller.require(*entity, "write"))
}

pub fn replace<R: Resource>(context: &Context) -> Result<Write, Problem> {
    let (id, precondition) = (context.id()?, context.precondition()?);
    if precondition == Precondition::None {
        return Err(Problem::new(Code::PreconditionRequired));
    }
    require_all::<R>(context)?;
    let body = context.call.body.value.clone();
    let checked = Replace::<R>::check(body, id, precondition, context.api.store.now())?;
    Ok(Write::new(move |tx| {
        let (record, is_new) = checked.write(tx)?;
        Ok(Answer::Record { status: if is_new { 201 } else { 200 }, entity: R::ENTITY, id: record.id() })
    }))
}

pub fn update<R: Resource>(context: &Context) -> Result<Write, Problem> {
    let (id, precondition) = (context.id()?, context.precondition()?);
    let checked = Patch::check::<R>(context.call.body.value.clone())?;
    Ok(Write::new(move |tx| {
        let record = checked.write::<R>(tx, id, &precondition)?;
        Ok(Answer::Record { status: 200, entity: R::ENTITY, id: record.id() })
    }))
}

pub fn delete<R: Resource>(context: &Context) -> Result<Write, Problem> {
    let (id, precondition) = (context.id()?, context.precondition()?);
    let purge = context.query().flag("purge")?;
    let write = Write::new(move |tx| {
        delete_record::<R>(tx, id, &precondition, purge)?;
        Ok(Answer::Empty)
    });
    Ok(Write { erases: purge, ..write })
}

pub fn restore<R: Resource>(context: &Context) -> Result<Write, Problem> {
    let id = context.id()?;
    context.call.body.require_empty()?;
    Ok(Write::new(move |tx| {
        restore_record::<R>(tx, id)?;
        Ok(Answer::Record { status: 200, entity: R::ENTITY, id })
    }))
}
