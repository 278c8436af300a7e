//! crates-io `dify-client`: chat, completion and workflow, blocking; chat as a stream; conversations and feedback.
//!
//! The client's type of a streamed `workflow_started` demands a `sequence_number`, which Dify 1.13.2 no longer sends;
//! its workflows are therefore run blocking only.

use std::{collections::HashMap, env, error::Error};

use dify_client::{Client, request, response::SseMessageEvent};
use futures::StreamExt as _;

type Checked = Result<(), Box<dyn Error>>;

fn client(app: &str) -> Result<Client, Box<dyn Error>> {
    Ok(Client::new(&env::var("DIFY_BASE")?, &env::var(format!("DIFY_KEY_{app}"))?))
}

fn check(held: bool, what: &str) -> Checked {
    if held { Ok(()) } else { Err(what.into()) }
}

#[tokio::main]
async fn main() -> Checked {
    let user = "rust".to_owned();
    let chat = client("CHAT")?;
    let question = |query: &str| request::ChatMessagesRequest {
        query: query.to_owned(),
        user: user.clone(),
        ..Default::default()
    };
    let answer = chat.api().chat_messages(question("hello crate")).await?;
    check(answer.answer.contains("hello crate"), "a blocking chat echoes")?;

    let mut stream = chat.api().chat_messages_stream(question("streamed")).await?;
    let (mut text, mut ended) = (String::new(), false);
    while let Some(event) = stream.next().await {
        match event? {
            SseMessageEvent::Message { answer, .. } => text.push_str(&answer),
            SseMessageEvent::MessageEnd { .. } => ended = true,
            SseMessageEvent::Error { message, .. } => return Err(message.into()),
            _ => {}
        }
    }
    check(ended && text.contains("streamed"), "a streamed chat echoes and ends")?;

    let feedback = request::MessagesFeedbacksRequest {
        message_id: answer.base.message_id,
        rating: Some(request::Feedback::Like),
        user: user.clone(),
    };
    check(chat.api().messages_feedbacks(feedback).await?.result == "success", "feedback is taken")?;
    let conversations = request::ConversationsRequest { user: user.clone(), ..Default::default() };
    chat.api().conversations(conversations).await?;

    let inputs = HashMap::from([("query".to_owned(), "complete".to_owned())]);
    let completion = request::CompletionMessagesRequest {
        inputs: inputs.clone(),
        user: user.clone(),
        ..Default::default()
    };
    let completed = client("COMPLETION")?.api().completion_messages(completion).await?;
    check(completed.answer.contains("complete"), "a completion echoes")?;

    let run = request::WorkflowsRunRequest { inputs, user, ..Default::default() };
    let run = client("WORKFLOW")?.api().workflows_run(run).await?;
    check(run.data.outputs.is_some(), "a workflow has outputs")
}
