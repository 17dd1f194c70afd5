//! The settings of the workspace: its name, the time zone of its days, how often to be in touch by tier.

use actix_web::http::Method;
use serde_json::json;

use super::context::Context;
use super::http::messages::problem::Problem;
use super::http::messages::response::Response;
use super::http::operation::{Access, Docs, Operation, Run, Write};
use crate::domain::account::{Workspace, WorkspaceFields};
use crate::domain::invalid::{FieldCode, Invalid, Rejection};
use crate::domain::merge_patch::merge;
use crate::service::validation::{parse, validate, views::View};
use crate::store::{Answer, Conn, accounts, workspace_settings};

pub fn operations() -> Vec<Operation> {
    vec![
        Operation::new(
            Method::GET,
            "/v1/workspace",
            "get_workspace",
            Access::scope("account:read"),
            Run::Read(get_workspace),
            || {
                Docs::new("me", "Get the workspace")
                    .description("The settings that hold for everybody who works in it.")
                    .answer::<Workspace>(200, "The workspace.")
            },
        ),
        Operation::new(
            Method::PATCH,
            "/v1/workspace",
            "update_workspace",
            // The settings are those of everybody, so a viewer does not change them.
            Access::Scopes(vec!["account:write".into(), "contacts:write".into()]),
            Run::Write(update_workspace),
            || {
                Docs::new("me", "Update the workspace")
                    .description(
                        "A JSON Merge Patch (RFC 7396). Changing `time_zone` recalculates the day of the last \
                         interaction of each contact. Changing `tier_cadences` recalculates when the contacts of that \
                         tier are due. Both happen in the same write, which can take seconds in a large workspace. \
                         Dates that were entered as dates do not move. Settings are not restored by reverting a \
                         change.",
                    )
                    .request::<WorkspaceFields>(json!({
                        "time_zone": "Europe/Warsaw", "tier_cadences": {"core": {"every": 6, "unit": "week"}}
                    }))
                    .answer::<Workspace>(200, "The workspace as it is now.")
            },
        ),
    ]
}

fn get_workspace(context: &Context, conn: &mut Conn) -> Result<Response, Problem> {
    context.json(&accounts::workspace(conn, context.workspace(), context.caller.user)?)
}

fn update_workspace(context: &Context) -> Result<Write, Problem> {
    let mut patch = context.call.body.value.clone();
    let mut invalid = Invalid::default();
    for name in ["id", "role"] {
        if patch.as_object_mut().and_then(|patch| patch.remove(name)).is_some() {
            let detail = format!("{name} is set by the server.");
            invalid.add(format!("#/{name}"), Rejection::new(FieldCode::ReadOnly, detail));
        }
    }
    invalid.extend(validate::<WorkspaceFields>(View::Patch, &patch));
    invalid.into_result(())?;
    Ok(Write::new(move |tx| {
        let before = workspace_settings::own_workspace(tx)?;
        let merged = merge(json!(before.fields), patch);
        let fields = parse::<WorkspaceFields, _>(&merged, WorkspaceFields::checked)?;
        if fields != before.fields {
            workspace_settings::update(tx, &before.fields, &fields)?;
        }
        let after = Workspace { fields, ..before };
        Ok(Answer::Json { status: 200, body: Box::new(move |_| Ok(json!(after))) })
    }))
}
