//! Bodies of requests: read whole, bounded in length, in time, and in what all take together.
use std::{sync::Arc, time::Duration};

use axum::body::{Body, Bytes};
use futures::StreamExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::refusal::Refusal;

/// How long a client may take to send the body of a request.
pub(super) const BODY_TIME: Duration = Duration::from_secs(30);
/// How much of a body that is too long is read and thrown away, as a multiple of what is allowed:
/// a client that is still sending would lose our answer.
const SKIPPED: usize = 16;
/// How much of a body is read without asking for room, and how much room there is for all that is
/// longer, in KiB: slow senders of long bodies fill no memory.
const SMALL: usize = 16 << 10;
const ROOM_KIB: usize = 64 << 10;

/// Reads bodies, bounded in length, time and the room that all take together.
#[derive(Debug, Clone)]
pub(super) struct Bodies {
    most: usize,
    room: Arc<Semaphore>,
}

impl Bodies {
    /// At most so many bytes each.
    pub(super) fn new(most: usize) -> Self {
        Self { most, room: Arc::new(Semaphore::new(ROOM_KIB)) }
    }

    /// A whole body, and the room that it takes as long as it is there in any form.
    pub(super) async fn read(
        &self,
        body: Body,
    ) -> Result<(Bytes, Option<OwnedSemaphorePermit>), Refusal> {
        let most = self.most;
        let read = async {
            let mut stream = body.into_data_stream();
            let (mut whole, mut length) = (Vec::new(), 0_usize);
            let mut room: Option<OwnedSemaphorePermit> = None;
            while let Some(chunk) = stream.next().await {
                let chunk = chunk.map_err(|_| Refusal::Broken)?;
                length = length.saturating_add(chunk.len());
                if length <= most {
                    if length > SMALL {
                        let kib = u32::try_from(chunk.len().div_ceil(1024)).unwrap_or(u32::MAX);
                        let more = self.room.clone().try_acquire_many_owned(kib);
                        let more = more.map_err(|_| Refusal::NoRoom)?;
                        match &mut room {
                            Some(room) => room.merge(more),
                            None => room = Some(more),
                        }
                    }
                    whole.extend_from_slice(&chunk);
                } else if length > most.saturating_mul(SKIPPED) {
                    break;
                }
            }
            if length > most {
                Err(Refusal::TooLong { most })
            } else {
                Ok((Bytes::from(whole), room))
            }
        };
        tokio::time::timeout(BODY_TIME, read).await.unwrap_or(Err(Refusal::TooSlow))
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    #[tokio::test]
    async fn a_body_is_read_up_to_its_limit_and_no_further() {
        let bodies = Bodies::new(8);
        let read = |length: usize| bodies.read(Body::from(vec![b' '; length]));
        assert_eq!(read(8).await.unwrap().0.len(), 8);
        assert!(matches!(read(9).await, Err(Refusal::TooLong { most: 8 })));
        let endless = futures::stream::repeat(Ok::<_, Infallible>(Bytes::from_static(b"abc")));
        let endless = bodies.read(Body::from_stream(endless)).await;
        assert!(matches!(endless, Err(Refusal::TooLong { most: 8 })));
    }

    #[tokio::test]
    async fn long_bodies_share_the_room_that_there_is() {
        let bodies = Bodies { most: 1 << 20, room: Arc::new(Semaphore::new(32)) };
        let (send, chunks) = futures::channel::mpsc::unbounded::<Result<Bytes, Infallible>>();
        send.unbounded_send(Ok(Bytes::from(vec![b' '; 30 << 10]))).unwrap();
        let slow = bodies.clone();
        let slow = tokio::spawn(async move { slow.read(Body::from_stream(chunks)).await });
        while bodies.room.available_permits() == 32 {
            tokio::task::yield_now().await;
        }
        let read = async |kib: usize| bodies.read(Body::from(vec![b' '; kib << 10])).await;
        assert!(matches!(read(20).await, Err(Refusal::NoRoom)));
        assert!(read(16).await.is_ok());
        drop(send);
        let (whole, room) = slow.await.unwrap().unwrap();
        assert_eq!(whole.len(), 30 << 10);
        // As long as somebody works on it.
        assert!(matches!(read(20).await, Err(Refusal::NoRoom)));
        drop(room);
        assert!(read(20).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_comes_is_given_up() {
        let silent = futures::stream::pending::<Result<Bytes, std::io::Error>>();
        let given_up = Bodies::new(8).read(Body::from_stream(silent)).await;
        assert!(matches!(given_up, Err(Refusal::TooSlow)));
    }
}
