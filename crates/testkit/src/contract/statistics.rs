//! Promises of the counts of [`Reports`](domain::ports::Reports).

use domain::delivery::MessageChange;
use domain::ports::{DateRange, DealerStats};
use domain::requests::MessageState;

use super::acts::{HOUR, UNCHANGED, failed, sent, unknown};
use super::reports::stats;
use super::{OldRow, Stage};
use crate::sample;

/// For every final state.
pub async fn statistics_count_every_state(stage: &Stage) {
    let dealer = sample::dealer_id();
    let ends = [
        (sent(), MessageState::Sent),
        (sent(), MessageState::Sent),
        (failed(), MessageState::Failed),
        (unknown(), MessageState::Unknown),
        (MessageChange::Expired, MessageState::Expired),
        (MessageChange::Requeued, MessageState::Queued),
    ];
    for (n, (change, state)) in (0..).zip(ends) {
        let request = stage.queue(&dealer, n).await.id;
        let claim = stage.claim().await;
        stage.settle_now(&claim, change, UNCHANGED).await;
        assert_eq!(stage.message(request).await.state, state);
    }
    let expected = DealerStats {
        total: 6,
        delivered: 0,
        failed: 3,
        sent: 2,
        not_sent: 1,
        pending_requests: 1,
        processed_requests: 2,
        failed_requests: 3,
    };
    let counts = stats(stage, &dealer, DateRange::default()).await;
    assert_eq!(counts, expected);
}

/// Counts are right at every moment.
pub async fn statistics_follow_a_message_on_its_way(stage: &Stage) {
    let dealer = sample::dealer_id();
    let waiting = DealerStats {
        total: 1,
        not_sent: 1,
        pending_requests: 1,
        ..DealerStats::default()
    };
    let now = || stats(stage, &dealer, DateRange::default());
    assert_eq!(now().await, DealerStats::default());
    stage.queue(&dealer, 1).await;
    assert_eq!(now().await, waiting);
    let claim = stage.claim().await;
    assert_eq!(now().await, waiting);
    stage
        .settle_now(&claim, MessageChange::Requeued, UNCHANGED)
        .await;
    assert_eq!(now().await, waiting);
    stage.pass(HOUR).await;
    assert_eq!(stage.outbox.expire(HOUR / 2).await.expect("expire"), 1);
    let ended = DealerStats {
        total: 1,
        failed: 1,
        failed_requests: 1,
        ..DealerStats::default()
    };
    assert_eq!(now().await, ended);
}

/// Another program wrote them, some without a status.
pub async fn statistics_count_rows_of_an_older_service(stage: &Stage) {
    let dealer = sample::dealer_id();
    let rows = [
        OldRow::sample(&dealer, 1),
        OldRow::sample(&dealer, 2).with_statuses("PENDING", "NOT_SENT"),
        OldRow::sample(&dealer, 3).with_statuses("PROCESSED", "SENT"),
        OldRow::sample(&dealer, 4).with_statuses("PROCESSED", "DELIVERED"),
        OldRow::sample(&dealer, 5).with_statuses("PROCESSED", "READ"),
        OldRow::sample(&dealer, 6).with_statuses("FAILED", "FAILED"),
        OldRow::sample(&dealer, 7).with_statuses("FAILED", "ERROR"),
        // An unknown status: counted as a request only.
        OldRow::sample(&dealer, 8).with_statuses("ARCHIVED", "RETRY"),
    ];
    for row in &rows {
        stage.backstage.insert_old_row(row).await;
    }
    stage.queue(&dealer, 9).await;
    let expected = DealerStats {
        total: 9,
        delivered: 2,
        failed: 2,
        sent: 3,
        not_sent: 3,
        pending_requests: 3,
        processed_requests: 3,
        failed_requests: 2,
    };
    let counts = stats(stage, &dealer, DateRange::default()).await;
    assert_eq!(counts, expected);
}

/// Another program changes and deletes rows; counts follow at once.
pub async fn statistics_follow_other_programs(stage: &Stage) {
    let dealer = sample::dealer_id();
    let now = || stats(stage, &dealer, DateRange::default());
    let (old, new) = (OldRow::sample(&dealer, 1), stage.queue(&dealer, 2).await.id);
    stage.backstage.insert_old_row(&old).await;
    assert_eq!(now().await.not_sent, 2);
    for id in [old.id, new] {
        let read = (Some("PROCESSED"), Some("READ"));
        stage.backstage.set_statuses(id, read.0, read.1).await;
    }
    let both = DealerStats {
        total: 2,
        delivered: 2,
        sent: 2,
        processed_requests: 2,
        ..DealerStats::default()
    };
    assert_eq!(now().await, both);
    stage.backstage.set_statuses(new, None, None).await;
    let counts = now().await;
    assert_eq!((counts.not_sent, counts.pending_requests), (1, 1));
    stage.backstage.delete_row(new).await;
    stage.backstage.delete_row(old.id).await;
    assert_eq!(now().await, DealerStats::default());
}
