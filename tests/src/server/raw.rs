//! A connection that performs a list of steps without parsing the input.

use std::io;

use super::secured::Secured;
use crate::script::{End, Step};

/// Performs the steps, then waits until the client ends the connection, which is an error.
pub(super) async fn serve(stream: &mut Secured<'_>, steps: &[Step]) -> io::Result<End> {
    let mut input = Vec::new();
    for step in steps {
        match step {
            Step::AwaitBytes(count) => {
                while input.len() < *count {
                    stream.read(&mut input).await?;
                }
            }
            Step::Write(bytes) => {
                stream.queue(bytes);
                stream.flush().await?;
            }
            Step::Pause(pause) => tokio::time::sleep(*pause).await,
            Step::End(end) => return Ok(*end),
        }
    }
    loop {
        stream.read(&mut input).await?;
        input.clear();
    }
}
