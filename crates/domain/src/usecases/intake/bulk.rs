//! Many submissions of one call.

use std::collections::{HashMap, HashSet};

use super::{Checked, Intake, IntakeError};
use crate::access::Visibility;
use crate::dealers::Dealer;
use crate::ports::{Accepted, KeyUse, StoreError};
use crate::requests::{MessageKind, NewRequest, RequestId, Submission};
use crate::template::TemplateOrigin;
use crate::values::{BodyFingerprint, DealerId, IdempotencyKey, Once};

/// How many rows are stored at once. Chosen: one statement for so many costs a row little more than one for
/// thousands, and is over so soon that a live submission hardly waits behind it.
pub const BLOCK: usize = 200;

/// A row of a bulk call.
#[derive(Debug, Clone, Default)]
pub struct BulkRow {
    /// What it says.
    pub submission: Submission,
    /// Under which key it is stored once.
    pub once: Option<Once>,
}

/// What a bulk call keeps from one block to the next.
pub struct BulkCall {
    seen: Visibility,
    dry_run: bool,
    /// The dealers that were asked for.
    dealers: HashMap<DealerId, Option<Dealer>>,
    /// Those of them that were asked for once more.
    looked_again: HashSet<DealerId>,
    /// The keys of rows that a dry run would have stored, with the fingerprints of their bodies.
    tried: HashMap<(DealerId, IdempotencyKey), BodyFingerprint>,
    /// Why nothing more is tried.
    given_up: Option<StoreError>,
}

impl BulkCall {
    /// A call of somebody who sees these dealers; in a dry run everything is checked and nothing stored.
    #[must_use]
    pub fn new(seen: Visibility, dry_run: bool) -> Self {
        Self {
            seen,
            dry_run,
            dealers: HashMap::new(),
            looked_again: HashSet::new(),
            tried: HashMap::new(),
            given_up: None,
        }
    }

    /// Why nothing more is tried: the store was away for all of a block, or time was over.
    pub fn give_up(&mut self, error: StoreError) {
        self.given_up.get_or_insert(error);
    }

    /// Whether an earlier row of this dry run that has the same key has the same body; none where no row has.
    fn is_same(&self, dealer: &DealerId, once: &Once) -> Option<bool> {
        let tried = self.tried.get(&(dealer.clone(), once.key.clone()));
        tried.map(|body| once.is_of(body))
    }

    /// Whether nothing more is tried.
    #[must_use]
    pub fn is_given_up(&self) -> bool {
        self.given_up.is_some()
    }
}

/// A row that is stored, or would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowReceival {
    /// Its dealer.
    pub dealer: DealerId,
    /// The request that it is stored as; `None` in a dry run.
    pub request: Option<RequestId>,
    /// Whether that was earlier, under the same key.
    pub replayed: bool,
    /// Whose template the message was made from; `None` where nothing was stored now.
    pub template: Option<TemplateOrigin>,
}

/// What became of a row.
pub type RowAnswer = Result<RowReceival, IntakeError>;

/// Rows that the store is asked about, each with its place in the block.
#[derive(Default)]
struct Sorted {
    /// What can be stored.
    ready: Vec<(usize, NewRequest, TemplateOrigin)>,
    /// What cannot, but may have been stored before under its key.
    refused: Vec<(usize, DealerId, Once, IntakeError)>,
}

impl Intake {
    /// Stores the next rows of a call, at most [`BLOCK`], each as [`accept_once`](Self::accept_once) does;
    /// their messages go behind all that are not of bulk calls. Answers for each row, in the same order. A
    /// row harms only itself; where the store is away for all of a block, nothing more is tried.
    pub async fn accept_all(&self, call: &mut BulkCall, rows: Vec<BulkRow>) -> Vec<RowAnswer> {
        let mut answers: Vec<Option<RowAnswer>> = Vec::new();
        answers.resize_with(rows.len(), || None);
        let sorted = self.sort(call, rows, &mut answers).await;
        if let Some(error) = &call.given_up {
            for (n, ..) in &sorted.ready {
                answers[*n] = Some(Err(IntakeError::NotStored(error.again())));
            }
        } else if call.dry_run {
            self.try_out(call, sorted.ready, &mut answers).await;
        } else {
            self.store_all(call, sorted.ready, &mut answers).await;
        }
        self.find_refused(call, sorted.refused, &mut answers).await;
        if call.dry_run {
            let receivals = answers.iter_mut().flatten().flatten();
            receivals.for_each(|receival| receival.request = None);
        }
        let unanswered = || {
            Err(IntakeError::NotStored(StoreError::Unavailable(
                "no answer".into(),
            )))
        };
        answers
            .into_iter()
            .map(|answer| answer.unwrap_or_else(unanswered))
            .collect()
    }

    /// Checks every row; answers those that the store need not be asked about.
    async fn sort(
        &self,
        call: &mut BulkCall,
        rows: Vec<BulkRow>,
        answers: &mut [Option<RowAnswer>],
    ) -> Sorted {
        let mut sorted = Sorted::default();
        for (n, BulkRow { submission, once }) in rows.into_iter().enumerate() {
            let submission = match self.check(submission, &call.seen) {
                Ok(submission) => submission,
                Err(refusal) => {
                    answers[n] = Some(Err(refusal));
                    continue;
                }
            };
            let id = submission.dealer_id.clone();
            if let Err(error) = self.look_up(call, &id).await {
                answers[n] = Some(Err(IntakeError::NotStored(error)));
                continue;
            }
            let dealer = call.dealers.get(&id).and_then(Option::as_ref);
            let checked = Box::new(Checked { submission, once });
            let mut prepared = self.prepare(checked, dealer, MessageKind::Bulk);
            if let Err((checked, refusal)) = prepared {
                let again = match refusal.misses_template() {
                    true => self.look_again(call, &id).await,
                    false => Ok(false),
                };
                prepared = match again {
                    Ok(true) => {
                        let dealer = call.dealers.get(&id).and_then(Option::as_ref);
                        self.prepare(checked, dealer, MessageKind::Bulk)
                    }
                    Ok(false) => Err((checked, refusal)),
                    Err(error) => {
                        answers[n] = Some(Err(IntakeError::NotStored(error)));
                        continue;
                    }
                };
            }
            match prepared {
                Ok((request, origin)) => sorted.ready.push((n, *request, origin)),
                Err((checked, refusal)) => match checked.once {
                    Some(once) => sorted.refused.push((n, id, once, refusal)),
                    None => answers[n] = Some(Err(refusal)),
                },
            }
        }
        sorted
    }

    /// Looks a dealer up, once in a call.
    async fn look_up(&self, call: &mut BulkCall, id: &DealerId) -> Result<(), StoreError> {
        if call.dealers.contains_key(id) {
            return Ok(());
        }
        if let Some(error) = &call.given_up {
            return Err(error.again());
        }
        match self.dealers.find(id).await {
            Ok(dealer) => {
                call.dealers.insert(id.clone(), dealer);
                Ok(())
            }
            Err(error) => {
                call.give_up(error.again());
                Err(error)
            }
        }
    }

    /// Looks a dealer up once more, once in a call: a template may have been saved since. Returns whether it
    /// did. Where the store is away, nothing more is tried: the row may be right.
    async fn look_again(&self, call: &mut BulkCall, id: &DealerId) -> Result<bool, StoreError> {
        if call.looked_again.contains(id) {
            return Ok(false);
        }
        if let Some(error) = &call.given_up {
            return Err(error.again());
        }
        match self.dealers.find_again(id).await {
            Ok(dealer) => {
                call.looked_again.insert(id.clone());
                call.dealers.insert(id.clone(), dealer);
                Ok(true)
            }
            Err(error) => {
                call.give_up(error.again());
                Err(error)
            }
        }
    }

    async fn store_all(
        &self,
        call: &mut BulkCall,
        ready: Vec<(usize, NewRequest, TemplateOrigin)>,
        answers: &mut [Option<RowAnswer>],
    ) {
        if ready.is_empty() {
            return;
        }
        let mut places = Vec::with_capacity(ready.len());
        let mut requests = Vec::with_capacity(ready.len());
        for (n, request, origin) in ready {
            places.push((n, origin));
            requests.push(request);
        }
        let stored = self.requests.accept_all(&requests).await;
        let mut served = HashSet::new();
        let (mut answered, mut away) = (false, None);
        for (((n, origin), request), stored) in places.into_iter().zip(&requests).zip(stored) {
            let dealer = request.submission.dealer_id.clone();
            let receival = |request, template: Option<TemplateOrigin>| RowReceival {
                dealer: dealer.clone(),
                request: Some(request),
                replayed: template.is_none(),
                template,
            };
            let answer = match stored {
                Ok(Accepted::Stored) => {
                    served.insert(dealer.clone());
                    Ok(receival(request.id, Some(origin)))
                }
                Ok(Accepted::Replayed(id)) => Ok(receival(id, None)),
                Ok(Accepted::KeyReused) => Err(IntakeError::KeyReused),
                Ok(Accepted::KeyInProgress) => Err(IntakeError::KeyInProgress),
                Err(error) => Err(IntakeError::NotStored(error)),
            };
            match &answer {
                Err(IntakeError::NotStored(StoreError::Unavailable(_))) => {
                    away = away.or(answer.as_ref().err().and_then(IntakeError::store_error));
                }
                _ => answered = true,
            }
            answers[n] = Some(answer);
        }
        for dealer in &served {
            self.bell.ring_for(dealer);
        }
        if let Some(error) = away.filter(|_| !answered) {
            call.give_up(error);
        }
    }

    /// What would become of rows that can be stored, as far as their keys tell.
    async fn try_out(
        &self,
        call: &mut BulkCall,
        ready: Vec<(usize, NewRequest, TemplateOrigin)>,
        answers: &mut [Option<RowAnswer>],
    ) {
        let mut keyed = Vec::new();
        for (n, request, _) in ready {
            let dealer = request.submission.dealer_id.clone();
            answers[n] = Some(Ok(RowReceival {
                dealer: dealer.clone(),
                request: None,
                replayed: false,
                template: None,
            }));
            keyed.extend(request.once.map(|once| (n, (dealer, once))));
        }
        let (places, uses): (Vec<usize>, Vec<_>) = keyed.into_iter().unzip();
        if uses.is_empty() {
            return;
        }
        let used = self.requests.key_uses(&uses).await;
        for (at, (n, (dealer, once))) in places.into_iter().zip(uses).enumerate() {
            let used = match &used {
                Ok(used) => used.get(at).copied().flatten(),
                Err(error) => {
                    answers[n] = Some(Err(IntakeError::NotStored(error.again())));
                    continue;
                }
            };
            let is_same = match used {
                Some(KeyUse::SameBody(_)) => Some(true),
                Some(KeyUse::AnotherBody) => Some(false),
                None => call.is_same(&dealer, &once),
            };
            match is_same {
                None => {
                    call.tried.insert((dealer, once.key), once.body);
                }
                Some(false) => answers[n] = Some(Err(IntakeError::KeyReused)),
                Some(true) => {
                    answers[n] = Some(Ok(RowReceival {
                        dealer,
                        request: None,
                        replayed: true,
                        template: None,
                    }));
                }
            }
        }
    }

    /// What was stored under the keys of refused rows before: whatever became of their dealers since, the
    /// stored answer still counts.
    async fn find_refused(
        &self,
        call: &BulkCall,
        refused: Vec<(usize, DealerId, Once, IntakeError)>,
        answers: &mut [Option<RowAnswer>],
    ) {
        if refused.is_empty() {
            return;
        }
        let uses: Vec<(DealerId, Once)> = refused
            .iter()
            .map(|(_, dealer, once, _)| (dealer.clone(), once.clone()))
            .collect();
        let used = self.requests.key_uses(&uses).await;
        for (at, (n, dealer, once, refusal)) in refused.into_iter().enumerate() {
            let replayed = |request| RowReceival {
                dealer: dealer.clone(),
                request,
                replayed: true,
                template: None,
            };
            answers[n] = Some(match &used {
                Err(error) => Err(IntakeError::NotStored(error.again())),
                Ok(used) => match used.get(at).copied().flatten() {
                    Some(KeyUse::SameBody(id)) => Ok(replayed(Some(id))),
                    Some(KeyUse::AnotherBody) => Err(IntakeError::KeyReused),
                    None => match call.is_same(&dealer, &once) {
                        Some(true) => Ok(replayed(None)),
                        Some(false) => Err(IntakeError::KeyReused),
                        None => Err(refusal),
                    },
                },
            });
        }
    }
}

impl IntakeError {
    /// The store's failure once more.
    fn store_error(&self) -> Option<StoreError> {
        match self {
            Self::NotStored(error) => Some(error.again()),
            _ => None,
        }
    }
}
