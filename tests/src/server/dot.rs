//! DNS over TLS (RFC 7858): messages with a length prefix, answered in any order.

use std::io;

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::connection::Connection;
use super::plan::{Outbox, Plan};
use super::secured::Secured;
use crate::script::End;

/// Serves until the script ends the connection. The error means that the client has ended the connection.
pub(super) async fn serve(stream: &mut Secured<'_>, connection: &Connection) -> io::Result<End> {
    let mut input = Vec::new();
    let mut outbox = Outbox::new();
    let mut waiting = JoinSet::new();
    loop {
        let since = Instant::now();
        tokio::select! {
            biased;
            Some(plan) = waiting.join_next() => {
                let plan: Plan = plan.expect("a task that waits does not panic");
                outbox.add(plan.gather, plan);
            }
            read = stream.read(&mut input) => {
                read?;
                for query in take_messages(&mut input) {
                    let plan = connection.plan(&query, None);
                    if plan.is_due() {
                        outbox.add(plan.gather, plan);
                    } else {
                        waiting.spawn(plan.due());
                    }
                }
                if stream.has_more() {
                    continue;
                }
            }
            end = connection.idle(since), if waiting.is_empty() => return Ok(end.end),
        }
        for group in outbox.drain() {
            if let Some(end) = write(stream, &group).await? {
                return Ok(end);
            }
        }
        stream.flush().await?;
    }
}

/// Writes a group of answers, and returns how the connection is to end, if a fault ends the connection.
async fn write(stream: &mut Secured<'_>, group: &[Plan]) -> io::Result<Option<End>> {
    if let Some(end) = group.iter().find_map(|plan| plan.end_before) {
        stream.flush().await?;
        return Ok(Some(end));
    }
    let mut bytes = Vec::new();
    for plan in group {
        frame(plan, &mut bytes);
    }
    let end = group.iter().find_map(|plan| plan.end_after);
    match group.iter().find_map(|plan| plan.piece) {
        Some(piece) => stream.write(&bytes, piece).await?,
        None => stream.queue(&bytes),
    }
    if end.is_some() {
        stream.flush().await?;
    }
    Ok(end)
}

fn frame(plan: &Plan, bytes: &mut Vec<u8>) {
    for _ in 0..=plan.repeat {
        if let Some(raw) = &plan.raw {
            bytes.extend(raw);
            continue;
        }
        let length = u16::try_from(plan.message.len()).unwrap_or(u16::MAX).saturating_add(plan.excess);
        bytes.extend(length.to_be_bytes());
        bytes.extend(&plan.message);
    }
}

/// Removes all complete messages from the front of the input.
fn take_messages(input: &mut Vec<u8>) -> Vec<Vec<u8>> {
    let mut messages = Vec::new();
    let mut at = 0;
    while let Some(prefix) = input[at..].first_chunk() {
        let start = at + prefix.len();
        let end = start + usize::from(u16::from_be_bytes(*prefix));
        let Some(message) = input.get(start..end) else { break };
        messages.push(message.to_vec());
        at = end;
    }
    input.drain(..at);
    messages
}
