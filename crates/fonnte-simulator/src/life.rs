//! The automatic stages of a message after acceptance.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use tokio::time::sleep;

use crate::error::SimulatorError;
use crate::message::{MessageStatus, Stage};
use crate::shared::Shared;
use crate::switches::LifeCycle;
use crate::webhook::{self, IncomingMessage};
use crate::world::World;

/// Starts the stages of accepted messages. With early events, returns once those were reported.
pub(crate) async fn begin(shared: &Arc<Shared>, ids: &[i64]) {
    for &id in ids {
        let Some(mut journey) = shared.read(|world| Journey::plan(shared, world, id)) else {
            continue;
        };
        if journey.early {
            journey.hurry_until_sent().await;
        }
        shared.spawn(journey.finish());
    }
}

/// Moves a message to a stage and reports it; returns the webhook's answer, if any.
pub(crate) async fn advance(
    shared: &Arc<Shared>,
    id: i64,
    stage: Stage,
) -> Result<Option<u16>, SimulatorError> {
    let parcel = shared.change(|world| {
        world
            .move_message(id, stage)
            .then(|| webhook::parcel_for_stage(world, id, stage))
    });
    match parcel.ok_or(SimulatorError::UnknownMessage)? {
        Some(parcel) => webhook::post(shared, &parcel, 1).await.map(Some),
        None => Ok(None),
    }
}

/// Reports an incoming message; returns the receiver's answer to the first attempt.
pub(crate) async fn receive(
    shared: &Arc<Shared>,
    place: usize,
    message: IncomingMessage,
) -> Result<u16, SimulatorError> {
    let (parcel, delay) = shared.change(|world| {
        let parcel = webhook::parcel_for_incoming(world, place, message);
        let webhooks = &world.devices.get(place).switches().webhooks;
        (parcel, webhooks.incoming_delay_ms)
    });
    let parcel = parcel.ok_or(SimulatorError::NoWebhook)?;
    sleep(Duration::from_millis(delay)).await;
    webhook::deliver(shared, parcel).await
}

struct Journey {
    shared: Arc<Shared>,
    id: i64,
    pace: LifeCycle,
    early: bool,
    reversed: bool,
    ahead: VecDeque<Stage>,
    /// Events held back until the end, to be reported in reverse order.
    held: Vec<webhook::Parcel>,
}

/// The message was dropped, deleted, or has reached its end.
struct Over;

impl Journey {
    fn plan(shared: &Arc<Shared>, world: &World, id: i64) -> Option<Self> {
        let message = world.message(id)?;
        let place = world.devices.find_number(&message.device)?;
        let switches = world.devices.get(place).switches();
        let until = switches.life_cycle.until?;
        let known_to_whatsapp = is_registered(world, &message.target);
        let way = if known_to_whatsapp {
            until.way()
        } else {
            Stage::Invalid.way()
        };
        Some(Self {
            shared: Arc::clone(shared),
            id,
            pace: switches.life_cycle.clone(),
            early: switches.webhooks.early
                && !switches.offline
                && message.status == MessageStatus::Pending,
            reversed: switches.webhooks.reversed,
            ahead: way.iter().copied().collect(),
            held: Vec::new(),
        })
    }

    async fn hurry_until_sent(&mut self) {
        while let Some(&stage) = self.ahead.front().filter(|stage| !stage.is_receipt()) {
            self.ahead.pop_front();
            if self.reach(stage).await.is_err() {
                self.ahead.clear();
            }
        }
        self.report_held().await;
    }

    async fn finish(mut self) {
        // Held events are reported in any case.
        let _: Result<(), Over> = self.go_on().await;
        self.report_held().await;
    }

    async fn report_held(&mut self) {
        for parcel in std::mem::take(&mut self.held).into_iter().rev() {
            let _ = webhook::deliver(&self.shared, parcel).await;
        }
    }

    async fn go_on(&mut self) -> Result<(), Over> {
        self.wait_for_schedule().await;
        while let Some(stage) = self.ahead.pop_front() {
            sleep(Duration::from_millis(self.delay(stage))).await;
            if !stage.is_receipt() && stage != Stage::Expired && !self.wait_for_device().await? {
                self.reach(Stage::Expired).await?;
                return Err(Over);
            }
            self.reach(stage).await?;
        }
        Ok(())
    }

    fn delay(&self, stage: Stage) -> u64 {
        match stage {
            Stage::Pending | Stage::Waiting => 0,
            Stage::Processing => self.pace.processing_ms,
            Stage::Delivered => self.pace.delivered_ms,
            Stage::Read => self.pace.read_ms,
            Stage::Sent
            | Stage::Invalid
            | Stage::Failed
            | Stage::Expired
            | Stage::UrlUnreachable => self.pace.sent_ms,
        }
    }

    async fn wait_for_schedule(&mut self) {
        let due = self
            .shared
            .read(|world| world.message(self.id).and_then(|m| m.schedule));
        if let Some(wait) = due.and_then(|due| (due - Utc::now()).to_std().ok()) {
            sleep(wait).await;
        }
        self.shared.change(|world| {
            if let Some(message) = world.message_mut(self.id)
                && message.status == MessageStatus::Waiting
            {
                message.status = MessageStatus::Pending;
            }
        });
    }

    /// False when the device did not come back in time.
    async fn wait_for_device(&self) -> Result<bool, Over> {
        let mut deadline = std::pin::pin!(sleep(Duration::from_millis(self.pace.expire_after_ms)));
        loop {
            let mut change = std::pin::pin!(self.shared.connection_changed.notified());
            change.as_mut().enable();
            let online = self.shared.read(|world| {
                let message = world.message(self.id)?;
                let place = world.devices.find_number(&message.device)?;
                let alive = message.status != MessageStatus::Deleted;
                alive.then(|| !world.devices.get(place).switches().offline)
            });
            if online.ok_or(Over)? {
                return Ok(true);
            }
            tokio::select! {
                () = change => {}
                () = &mut deadline => return Ok(false),
            }
        }
    }

    async fn reach(&mut self, stage: Stage) -> Result<(), Over> {
        let parcel = self.shared.change(|world| {
            world
                .move_message(self.id, stage)
                .then(|| webhook::parcel_for_stage(world, self.id, stage))
        });
        match parcel.ok_or(Over)? {
            Some(parcel) if self.reversed => self.held.push(parcel),
            Some(parcel) => {
                let _ = webhook::deliver(&self.shared, parcel).await;
            }
            None => {}
        }
        Ok(())
    }
}

/// Whether a number is on WhatsApp. One without its country code is never routed.
pub(crate) fn is_registered(world: &World, number: &str) -> bool {
    number.ends_with("@g.us")
        || !(number.starts_with('0')
            || number.starts_with('8')
            || world.global.unregistered.contains(number))
}
