//! Unsubscribing from e-mails with one click (RFC 8058): whoever has the link of an e-mail may, without a token.

use actix_web::HttpResponse;
use actix_web::http::Method;

use super::context::Api;
use super::http::messages::problem::{Code, Problem};
use super::http::operation::{Access, Docs, Exchange, Operation, Run};
use crate::domain::account::UserFields;
use crate::domain::id::UserId;
use crate::store::{Error, accounts};

pub fn operations() -> Vec<Operation> {
    let path = "/v1/unsubscribe/{token}";
    let get = Run::Other(|exchange| Box::pin(get_unsubscribe_page(exchange)));
    let post = Run::Other(|exchange| Box::pin(unsubscribe_email(exchange)));
    let unsubscribe = Operation::new(Method::POST, path, "unsubscribe_email", Access::Public, post, || {
        Docs::new("me", "Unsubscribe from e-mails")
            .description(
                "Switches off the daily digest by e-mail, `email_digest`. The link is in each digest, and in its \
                 header `List-Unsubscribe` for mail programs (RFC 8058). A body is not read.",
            )
            .text(200, "Unsubscribed: a web page that says so.", "text/html")
    });
    vec![
        Operation::new(Method::GET, path, "get_unsubscribe_page", Access::Public, get, || {
            Docs::new("me", "Get the page to unsubscribe from e-mails")
                .description("A web page with a button. Nothing is switched off by opening it, since mail scanners open links.")
                .text(200, "The page.", "text/html")
        }),
        // What mail programs send is a form, and it says nothing.
        Operation { reads_body: false, ..unsubscribe },
    ]
}

/// The user of the link.
fn user(exchange: &Exchange) -> Result<UserId, Problem> {
    let token = exchange.call.path_values.first();
    let user = token.and_then(|token| exchange.api.unsubscribe.user(token));
    user.ok_or_else(|| Problem::new(Code::NotFound))
}

async fn get_unsubscribe_page(exchange: Exchange) -> Result<HttpResponse, Problem> {
    user(&exchange)?;
    Ok(page("<p>Stop the daily digest by e-mail?</p><form method=\"post\"><button>Unsubscribe</button></form>"))
}

async fn unsubscribe_email(exchange: Exchange) -> Result<HttpResponse, Problem> {
    let user = user(&exchange)?;
    switch_off(&exchange.api, user).await?;
    Ok(page("<p>You are unsubscribed from the daily digest by e-mail.</p>"))
}

/// Who is gone gets no more e-mails either.
async fn switch_off(api: &Api, user: UserId) -> Result<(), Problem> {
    let done = api.store.account_write(move |tx| match accounts::find(tx.conn, user) {
        Ok((before, _)) => {
            let fields = UserFields { email_digest: false, ..before.fields.clone() };
            accounts::update_user(tx, &before, fields).map(drop)
        }
        Err(Error::NotFound) => Ok(()),
        Err(other) => Err(other),
    });
    Ok(done.await?)
}

fn page(body: &str) -> HttpResponse {
    HttpResponse::Ok().content_type("text/html; charset=utf-8").body(format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Wellmet</title><body>{body}</body></html>"
    ))
}
