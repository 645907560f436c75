//! Questions to persons, and their answers, each good once.
use sqlx::{PgConnection, SqliteConnection, types::Json};

use super::{NewEvent, Outcome, Store as _, Write as _};
use crate::ledger::{
    ApprovalState, Asked, Decision, Lapsed, MOST_OF_ONE, MOST_WAITING, Scope,
    approval::{ApprovalRow, lines},
};

/// What an answer is kept for after it is good for nothing, in milliseconds: a day, to be looked at.
const KEPT_MS: i64 = 86_400_000;

pub(in crate::ledger) trait Approvals: Send {
    /// Removes what has been over for long, so that the table stays small.
    fn forget(&mut self, scope: &Scope, now_ms: i64) -> impl Future<Output = Outcome<()>> + Send;

    /// Writes a question down, or finds the same one that waits; none where too many wait.
    fn ask(
        &mut self,
        scope: &Scope,
        asked: &Asked,
        event: &NewEvent,
    ) -> impl Future<Output = Outcome<Option<ApprovalRow>>> + Send;

    fn approval(
        &mut self,
        scope: &Scope,
        code: &str,
    ) -> impl Future<Output = Outcome<Option<ApprovalRow>>> + Send;

    fn waiting(
        &mut self,
        scope: &Scope,
        now_ms: i64,
    ) -> impl Future<Output = Outcome<Vec<ApprovalRow>>> + Send;

    /// Writes a decision down; false where none is waited for.
    fn settle(
        &mut self,
        scope: &Scope,
        decision: &Decision,
        event: &NewEvent,
    ) -> impl Future<Output = Outcome<bool>> + Send;

    /// Uses a yes up that was given outside the conversation: its code, and who gave it.
    fn use_approval(
        &mut self,
        scope: &Scope,
        number: &str,
        digest: &str,
        now_ms: i64,
    ) -> impl Future<Output = Outcome<Option<(String, String)>>> + Send;

    /// Uses a sealed answer up; false if it was used before, or is none.
    fn use_sealed(&mut self, scope: &Scope, id: &str)
    -> impl Future<Output = Outcome<bool>> + Send;

    /// Questions that expired and came to nothing, some of them.
    fn lapsing(
        &mut self,
        scope: &Scope,
        now_ms: i64,
    ) -> impl Future<Output = Outcome<Vec<ApprovalRow>>> + Send;

    /// Ends one of them, if it stands as it did.
    fn end(
        &mut self,
        scope: &Scope,
        lapsed: &Lapsed,
        event: &NewEvent,
        now_ms: i64,
    ) -> impl Future<Output = Outcome<()>> + Send;
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT code, number, digest, question, nonce, state, asked_by, decided_by, asked_ms, \
             expires_ms \
             FROM approvals WHERE environment = $1 AND merchant = $2 ",
            $rest
        )
    };
}

macro_rules! approvals {
    ($connection:ty) => {
        impl Approvals for $connection {
            async fn forget(&mut self, scope: &Scope, now_ms: i64) -> Outcome<()> {
                let forget = sqlx::query(
                    "DELETE FROM approvals WHERE environment = $1 AND merchant = $2 \
                     AND expires_ms < $3",
                );
                let before = now_ms.saturating_sub(KEPT_MS);
                let forget = forget.bind(scope.environment.name()).bind(scope.merchant.as_str());
                forget.bind(before).execute(&mut *self).await?;
                Ok(())
            }

            async fn ask(
                &mut self,
                scope: &Scope,
                asked: &Asked,
                event: &NewEvent,
            ) -> Outcome<Option<ApprovalRow>> {
                let (environment, merchant) = (scope.environment.name(), scope.merchant.as_str());
                let now_ms = asked.now.as_millisecond();
                let number = asked.question.number.as_str();
                self.forget(scope, now_ms).await?;
                if asked.state == ApprovalState::Waiting {
                    self.lock(format!("ask|{environment}|{merchant}")).await?;
                    let same = sqlx::query_as(select!(
                        "AND number = $3 AND digest = $4 AND state IN ('waiting', 'declined') \
                         AND expires_ms > $5 ORDER BY asked_ms DESC LIMIT 1"
                    ))
                    .bind(environment)
                    .bind(merchant)
                    .bind(number)
                    .bind(asked.question.digest.as_str())
                    .bind(now_ms)
                    .fetch_optional(&mut *self)
                    .await?;
                    if same.is_some() {
                        return Ok(same);
                    }
                    let (waiting, theirs): (i64, i64) = sqlx::query_as(
                        "SELECT count(*), count(CASE WHEN asked_by = $4 THEN 1 END) \
                         FROM approvals WHERE environment = $1 AND merchant = $2 \
                         AND state = 'waiting' AND expires_ms > $3",
                    )
                    .bind(environment)
                    .bind(merchant)
                    .bind(now_ms)
                    .bind(asked.asked_by.as_str())
                    .fetch_one(&mut *self)
                    .await?;
                    if waiting >= MOST_WAITING || theirs >= MOST_OF_ONE {
                        return Ok(None);
                    }
                }
                sqlx::query(
                    "INSERT INTO approvals (environment, merchant, code, number, digest, question, \
                     nonce, state, asked_ms, expires_ms, asked_by) \
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
                )
                .bind(environment)
                .bind(merchant)
                .bind(asked.code.as_str())
                .bind(number)
                .bind(asked.question.digest.as_str())
                .bind(Json(lines(&asked.question)))
                .bind(asked.nonce.as_str())
                .bind(asked.state.word())
                .bind(now_ms)
                .bind(asked.expires_at.as_millisecond())
                .bind(asked.asked_by.as_str())
                .execute(&mut *self)
                .await?;
                self.note(scope, Some(number), event, now_ms).await?;
                self.approval(scope, &asked.code).await
            }

            async fn approval(
                &mut self,
                scope: &Scope,
                code: &str,
            ) -> Outcome<Option<ApprovalRow>> {
                sqlx::query_as(select!("AND code = $3"))
                    .bind(scope.environment.name())
                    .bind(scope.merchant.as_str())
                    .bind(code)
                    .fetch_optional(&mut *self)
                    .await
            }

            async fn waiting(&mut self, scope: &Scope, now_ms: i64) -> Outcome<Vec<ApprovalRow>> {
                sqlx::query_as(select!(
                    "AND state = 'waiting' AND expires_ms > $3 ORDER BY asked_ms, code"
                ))
                .bind(scope.environment.name())
                .bind(scope.merchant.as_str())
                .bind(now_ms)
                .fetch_all(&mut *self)
                .await
            }

            async fn settle(
                &mut self,
                scope: &Scope,
                decision: &Decision,
                event: &NewEvent,
            ) -> Outcome<bool> {
                let now_ms = decision.now.as_millisecond();
                let number: Option<(String,)> = sqlx::query_as(
                    "UPDATE approvals SET state = $4, decided_by = $5, expires_ms = $6 \
                     WHERE environment = $1 AND merchant = $2 AND code = $3 \
                     AND state = 'waiting' AND expires_ms > $7 RETURNING number",
                )
                .bind(scope.environment.name())
                .bind(scope.merchant.as_str())
                .bind(decision.code.as_str())
                .bind(if decision.approve { "approved" } else { "declined" })
                .bind(decision.by.as_str())
                .bind(decision.expires_at.as_millisecond())
                .bind(now_ms)
                .fetch_optional(&mut *self)
                .await?;
                let Some((number,)) = number else { return Ok(false) };
                self.note(scope, Some(&number), event, now_ms).await?;
                Ok(true)
            }

            async fn use_approval(
                &mut self,
                scope: &Scope,
                number: &str,
                digest: &str,
                now_ms: i64,
            ) -> Outcome<Option<(String, String)>> {
                sqlx::query_as(
                    "UPDATE approvals SET state = 'used' WHERE environment = $1 AND merchant = $2 \
                     AND number = $3 AND digest = $4 AND state = 'approved' AND expires_ms > $5 \
                     RETURNING code, coalesce(decided_by, '')",
                )
                .bind(scope.environment.name())
                .bind(scope.merchant.as_str())
                .bind(number)
                .bind(digest)
                .bind(now_ms)
                .fetch_optional(&mut *self)
                .await
            }

            async fn use_sealed(&mut self, scope: &Scope, id: &str) -> Outcome<bool> {
                let used = sqlx::query(
                    "UPDATE approvals SET state = 'used' WHERE environment = $1 AND merchant = $2 \
                     AND code = $3 AND state = 'asked'",
                );
                let used = used.bind(scope.environment.name()).bind(scope.merchant.as_str());
                Ok(used.bind(id).execute(&mut *self).await?.rows_affected() == 1)
            }

            async fn lapsing(&mut self, scope: &Scope, now_ms: i64) -> Outcome<Vec<ApprovalRow>> {
                sqlx::query_as(select!(
                    "AND expires_ms <= $3 AND state IN ('asked', 'waiting', 'approved') \
                     ORDER BY expires_ms LIMIT 500"
                ))
                .bind(scope.environment.name())
                .bind(scope.merchant.as_str())
                .bind(now_ms)
                .fetch_all(&mut *self)
                .await
            }

            async fn end(
                &mut self,
                scope: &Scope,
                lapsed: &Lapsed,
                event: &NewEvent,
                now_ms: i64,
            ) -> Outcome<()> {
                let ended = sqlx::query(
                    "UPDATE approvals SET state = 'lapsed' WHERE environment = $1 \
                     AND merchant = $2 AND code = $3 AND state = $4",
                );
                let ended = ended.bind(scope.environment.name()).bind(scope.merchant.as_str());
                let ended = ended.bind(lapsed.code.as_str()).bind(lapsed.was.word());
                if ended.execute(&mut *self).await?.rows_affected() == 1 {
                    self.note(scope, Some(&lapsed.number), event, now_ms).await?;
                }
                Ok(())
            }
        }
    };
}

approvals!(SqliteConnection);
approvals!(PgConnection);
