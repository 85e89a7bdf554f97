//! The handle of a running simulator.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use crate::call::Call;
use crate::device::Device;
use crate::error::SimulatorError;
use crate::life;
use crate::message::{ReceivedMessage, Stage};
use crate::options::SimulatorOptions;
use crate::receiver::WebhookAttempt;
use crate::server::{self, Command};
use crate::shared::Shared;
use crate::switches::{GlobalSwitches, Switches};
use crate::webhook::{self, IncomingMessage, StatusEvent, Whose, switch};
use crate::world::World;

/// A running simulator, on its own thread and runtime: it works beside any other runtime, also one with a
/// paused clock. Dropping it stops it.
pub struct Simulator {
    address: SocketAddr,
    shared: Arc<Shared>,
    commands: Option<mpsc::UnboundedSender<Command>>,
    thread: Option<JoinHandle<()>>,
}

impl Simulator {
    /// Starts listening, on loopback addresses only unless the options allow others.
    pub async fn start(options: SimulatorOptions) -> Result<Self, SimulatorError> {
        let wanted = options.listen;
        if !wanted.ip().is_loopback() && !options.any_address {
            return Err(SimulatorError::NotLoopback {
                address: wanted.to_string(),
            });
        }
        let (commands, received) = mpsc::unbounded_channel();
        let (ready, started) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("fonnte-simulator".to_owned())
            .spawn(move || live(options, received, ready))
            .map_err(SimulatorError::Start)?;
        let (shared, address) = started.await.map_err(|_| SimulatorError::Stopped)??;
        Ok(Self {
            address,
            shared,
            commands: Some(commands),
            thread: Some(thread),
        })
    }

    /// The address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The base address, `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The address of `/send`.
    pub fn send_url(&self) -> String {
        format!("http://{}/send", self.address)
    }

    // -- devices and switches

    /// Registers a device.
    pub fn add_device(&self, device: Device) -> Result<(), SimulatorError> {
        self.shared.change(|world| world.devices.add(device))
    }

    /// Removes a device; its token is then unknown.
    pub fn remove_device(&self, token: &str) -> Result<Device, SimulatorError> {
        let removed = self.shared.change(|world| {
            let place = world.devices.find_token(token)?;
            let number = world.devices.get(place).number.clone();
            world.devices.remove(&number)
        });
        self.shared.connection_changed.notify_waiters();
        removed.ok_or(SimulatorError::UnknownDevice)
    }

    /// The present state of a device.
    pub fn device(&self, token: &str) -> Option<Device> {
        self.shared.read(|world| world.device(token))
    }

    /// Changes a device's switches, all or nothing. Going offline or online is reported to the device's
    /// `connect_url`.
    pub fn update(
        &self,
        token: &str,
        change: impl FnOnce(&mut Switches),
    ) -> Result<(), SimulatorError> {
        switch(&self.shared, Whose::Token(token), None, |switches| {
            change(switches);
            Ok(())
        })
    }

    /// The global switches.
    pub fn global(&self) -> GlobalSwitches {
        self.shared.read(|world| world.global.clone())
    }

    /// Changes the global switches, all or nothing.
    pub fn update_global(
        &self,
        change: impl FnOnce(&mut GlobalSwitches),
    ) -> Result<(), SimulatorError> {
        self.shared.change(|world| {
            let mut global = world.global.clone();
            change(&mut global);
            global.check()?;
            world.global = global;
            Ok(())
        })
    }

    // -- what was seen

    /// The newest messages, oldest first; as many as are kept.
    pub fn messages(&self) -> Vec<ReceivedMessage> {
        self.shared
            .read(|world| world.messages.iter().cloned().collect())
    }

    /// One message.
    pub fn message(&self, id: i64) -> Option<ReceivedMessage> {
        self.shared.read(|world| world.message(id).cloned())
    }

    /// The number of messages accepted since the start or the last clearing, dropped ones included.
    pub fn message_count(&self) -> u64 {
        self.shared.read(|world| world.messages_seen)
    }

    /// The newest calls, refused ones included, oldest first; as many as are kept.
    pub fn calls(&self) -> Vec<Call> {
        self.shared
            .read(|world| world.calls.iter().cloned().collect())
    }

    /// The number of calls since the start or the last clearing, dropped ones included.
    pub fn call_count(&self) -> u64 {
        self.shared.read(|world| world.calls_seen)
    }

    /// The newest attempts to report an event, oldest first; as many as are kept.
    pub fn webhook_attempts(&self) -> Vec<WebhookAttempt> {
        self.shared
            .read(|world| world.webhooks.iter().cloned().collect())
    }

    /// The highest number of simultaneous calls to `/send` with this token, since the start or
    /// the last clearing; 0 for an unknown token.
    pub fn max_in_flight(&self, token: &str) -> usize {
        self.shared.read(|world| {
            let place = world.devices.find_token(token);
            place.map_or(0, |place| world.devices.get(place).max_in_flight)
        })
    }

    /// Clears messages, calls and webhook attempts; devices, switches and id counters stay.
    pub fn clear(&self) {
        self.shared.clear();
    }

    // -- waiting

    /// Waits until this many messages were accepted; returns the newest ones.
    pub async fn wait_for_messages(
        &self,
        count: u64,
        timeout: Duration,
    ) -> Result<Vec<ReceivedMessage>, SimulatorError> {
        self.wait_until(timeout, |simulator| simulator.message_count() >= count)
            .await?;
        Ok(self.messages())
    }

    /// Waits until this many calls have arrived, answered or not; returns the newest ones.
    pub async fn wait_for_calls(
        &self,
        count: u64,
        timeout: Duration,
    ) -> Result<Vec<Call>, SimulatorError> {
        self.wait_until(timeout, |simulator| simulator.call_count() >= count)
            .await?;
        Ok(self.calls())
    }

    /// Waits until the condition is true; checks after every change, and at no other time.
    pub async fn wait_until(
        &self,
        timeout: Duration,
        is_so: impl Fn(&Self) -> bool,
    ) -> Result<(), SimulatorError> {
        // The simulator's own clock: the caller's may be paused or missing.
        let mut deadline = self
            .shared
            .spawn(async move { tokio::time::sleep(timeout).await });
        let outcome = loop {
            let mut change = std::pin::pin!(self.shared.changed.notified());
            change.as_mut().enable();
            if is_so(self) {
                break Ok(());
            }
            tokio::select! {
                () = change => {}
                _ = &mut deadline => break Err(SimulatorError::TimedOut { waited: timeout }),
            }
        };
        deadline.abort();
        outcome
    }

    // -- events by hand

    /// Moves a message to a stage and reports it once, in its device's shape. Returns the receiver's HTTP
    /// status, or `None` without a receiver.
    pub async fn advance(&self, id: i64, stage: Stage) -> Result<Option<u16>, SimulatorError> {
        let shared = Arc::clone(&self.shared);
        self.inside(async move { life::advance(&shared, id, stage).await })
            .await
    }

    /// Reports exactly this event once, from the token's device, and changes nothing else. Returns the
    /// receiver's HTTP status.
    pub async fn emit(&self, token: &str, event: StatusEvent) -> Result<u16, SimulatorError> {
        let parcel = self.shared.read(|world| {
            let place = world
                .devices
                .find_token(token)
                .ok_or(SimulatorError::UnknownDevice)?;
            webhook::parcel_for_event(world, place, event).ok_or(SimulatorError::NoWebhook)
        })?;
        let shared = Arc::clone(&self.shared);
        self.inside(async move { webhook::post(&shared, &parcel, 1).await })
            .await
    }

    /// A message comes in for the token's device: it is reported, with the duplicates, the delay and the retries
    /// that the device's switches say. Returns the receiver's HTTP status of the first attempt.
    pub async fn receive(
        &self,
        token: &str,
        message: IncomingMessage,
    ) -> Result<u16, SimulatorError> {
        let place = |world: &World| {
            let place = world.devices.find_token(token);
            place.ok_or(SimulatorError::UnknownDevice)
        };
        let place = self.shared.read(place)?;
        let shared = Arc::clone(&self.shared);
        self.inside(async move { life::receive(&shared, place, message).await })
            .await
    }

    // -- the port

    /// Closes the port and every connection; new ones are refused. The port stays reserved, so that no other
    /// program gets it.
    pub async fn stop_listening(&self) -> Result<(), SimulatorError> {
        self.ask(Command::StopListening).await
    }

    /// Opens the same port again.
    pub async fn listen_again(&self) -> Result<(), SimulatorError> {
        self.ask(Command::ListenAgain).await
    }

    /// Stops for good; the port is free when this returns.
    pub async fn stop(mut self) {
        self.end();
    }

    async fn ask(
        &self,
        command: impl FnOnce(oneshot::Sender<std::io::Result<()>>) -> Command,
    ) -> Result<(), SimulatorError> {
        let (done, outcome) = oneshot::channel();
        let commands = self.commands.as_ref().ok_or(SimulatorError::Stopped)?;
        commands
            .send(command(done))
            .map_err(|_| SimulatorError::Stopped)?;
        let outcome = outcome.await.map_err(|_| SimulatorError::Stopped)?;
        outcome.map_err(|source| SimulatorError::Listen {
            address: self.address,
            source,
        })
    }

    /// Runs on the simulator's own runtime.
    async fn inside<T: Send + 'static>(
        &self,
        task: impl Future<Output = Result<T, SimulatorError>> + Send + 'static,
    ) -> Result<T, SimulatorError> {
        self.shared
            .spawn(task)
            .await
            .map_err(|_| SimulatorError::Stopped)?
    }

    fn end(&mut self) {
        self.commands = None;
        if let Some(thread) = self.thread.take() {
            // The server ends with its last command; a panic was printed already.
            let _ = thread.join();
        }
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.end();
    }
}

impl std::fmt::Debug for Simulator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Simulator")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

type Started = Result<(Arc<Shared>, SocketAddr), SimulatorError>;

/// The simulator's thread: reports whether it started, then serves until its handle is dropped.
fn live(
    options: SimulatorOptions,
    commands: mpsc::UnboundedReceiver<Command>,
    ready: oneshot::Sender<Started>,
) {
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return drop(ready.send(Err(SimulatorError::Start(error)))),
    };
    runtime.block_on(async {
        let begun = Shared::new(&options, Handle::current())
            .map(Arc::new)
            .and_then(|shared| {
                let failed = |source| SimulatorError::Listen {
                    address: options.listen,
                    source,
                };
                let listener = server::listen(options.listen).map_err(failed)?;
                let address = listener.local_addr().map_err(failed)?;
                Ok((shared, listener, address))
            });
        match begun {
            Ok((shared, listener, address)) => {
                // A failed send means that the handle is gone, and so is the server.
                let _ = ready.send(Ok((Arc::clone(&shared), address)));
                server::run(shared, listener, address, commands).await;
            }
            Err(error) => drop(ready.send(Err(error))),
        }
    });
    runtime.shutdown_background();
}
