/// Stamps every promise of [`contract`](crate::contract) into a test of the same name.
///
/// It is given an `async fn() -> (Stage, Guard)`, which makes an empty store for each test; the
/// guard, whatever it is, is kept until the test is over. The crate of the tests needs tokio.
#[macro_export]
macro_rules! contract_tests {
    ($make_stage:path) => {
        $crate::contract_tests! { @modules $make_stage;
            requests:
                a_stored_request_is_found_as_it_was_submitted
                an_unknown_request_is_absent
                a_request_and_its_message_are_stored_together
                a_request_whose_message_cannot_be_stored_is_not_stored
                an_id_is_stored_once
                requests_accepted_at_once_are_all_stored
                a_request_that_cannot_be_stored_harms_only_itself
                an_id_that_comes_many_times_at_once_is_stored_once
                texts_are_kept_byte_for_byte
                the_longest_texts_fit
                an_unusual_plate_is_kept_as_it_was_sent
                the_first_and_the_last_year_are_kept
                rows_of_an_older_service_are_found_as_they_are;
            dealers:
                a_dealer_is_found_with_its_account
                an_unknown_dealer_is_absent
                a_new_dealer_is_seen_at_once
                an_inactive_dealer_is_found
                a_dealer_without_an_account_is_found
                each_dealer_has_its_own_account;
            reports:
                the_newest_request_comes_first
                requests_of_the_same_moment_are_in_descending_order_of_their_ids
                pages_never_overlap
                a_page_past_the_end_is_empty
                a_list_shows_requests_as_they_are_found
                a_dealer_sees_only_its_own_requests
                no_requests_are_an_empty_list_and_zero_counts
                a_range_of_days_includes_both_ends
                statistics_count_every_state
                statistics_follow_a_message_on_its_way
                statistics_count_rows_of_an_older_service
                statistics_follow_other_programs
                lists_show_rows_of_an_older_service;
            claims:
                an_empty_queue_has_nothing_to_do
                a_claimed_message_is_sending
                a_claim_says_how_long_the_message_was_due
                messages_of_a_lane_go_in_the_order_of_their_due_time
                a_requeued_message_keeps_its_turn
                every_lane_with_a_message_gets_a_claim
                lanes_are_claimed_in_the_order_of_their_oldest_message
                two_claims_at_once_never_share_a_lane
                many_copies_claim_every_message_once
                messages_queued_while_others_claim_are_found
                the_next_due_time_is_that_of_the_first_lane
                a_message_being_sent_is_due_when_the_lease_is_over
                a_blocked_lane_is_due_when_its_pause_is_over
                a_message_to_be_resent_is_due_when_its_wait_is_over;
            leases:
                a_lane_has_at_most_one_claim
                a_lane_rests_between_two_calls
                a_resting_lane_does_not_hold_up_others
                the_epoch_rises_with_every_lease
                a_message_of_a_dead_copy_is_recovered
                a_message_is_not_recovered_before_the_lease_is_over
                recovery_goes_before_the_other_messages_of_the_lane
                a_recovery_that_was_interrupted_is_taken_over
                only_one_copy_recovers_a_message
                a_lane_can_be_leased_without_a_message
                a_held_lane_cannot_be_leased
                only_one_copy_leases_a_lane
                a_resting_lane_cannot_be_leased
                neither_a_breaker_nor_a_retry_wait_hinders_a_lease
                a_call_that_taught_nothing_does_not_shorten_a_pause
                a_lane_of_a_dead_copy_is_free_when_its_lease_is_over
                a_leased_lane_recovers_its_message_afterwards;
            late:
                a_late_settlement_counts_while_nobody_took_the_lane
                whoever_lost_the_lease_cannot_settle
                a_late_answer_is_kept_as_evidence
                late_acceptance_lifts_an_unknown_message_to_sent
                late_acceptance_takes_a_message_out_of_the_queue
                late_acceptance_lifts_an_expired_message_to_sent
                late_acceptance_does_not_lift_a_failed_message
                late_acceptance_goes_before_the_settlement_of_the_other_copy
                late_acceptance_does_not_touch_the_lane
                late_acceptance_is_counted
                settling_twice_changes_nothing_twice
                one_of_many_settlements_at_once_is_applied
                late_acceptance_wins_against_a_settlement_at_the_same_moment
                settlements_of_many_lanes_at_once_are_all_applied
                a_lost_lease_of_a_lane_cannot_be_settled;
            breaker:
                a_blocked_lane_gets_a_probe_before_its_next_message
                a_probe_that_succeeds_closes_the_breaker
                a_probe_that_fails_keeps_the_breaker_open
                a_probe_without_news_leaves_the_breaker_as_it_was
                a_probe_of_a_dead_copy_is_repeated
                a_blocked_lane_without_messages_gets_no_probe
                a_blocked_lane_does_not_hold_up_others
                open_breakers_are_listed_with_their_account
                an_unblocked_lane_goes_on_at_once
                only_an_open_breaker_can_be_closed
                unblocking_does_not_free_a_held_lane
                a_lane_that_waits_counts_its_strikes
                strikes_are_forgotten_when_the_provider_answers
                strikes_and_blocks_are_counted_apart
                an_interrupted_message_is_recovered_before_a_probe;
            outcomes:
                an_accepted_message_is_sent
                a_message_accepted_without_numbers_is_sent
                a_refused_message_has_failed
                a_requeued_message_shows_the_providers_answer
                a_message_handed_back_without_a_call_keeps_its_answer
                a_message_to_be_resent_waits_for_its_next_try
                an_unknown_message_is_shown_as_an_error
                a_recovered_message_can_be_settled
                every_attempt_is_recorded
                odd_words_of_the_provider_can_be_settled
                a_message_without_its_request_can_be_settled
                a_message_that_became_too_old_expires
                messages_of_a_paused_lane_expire_as_well
                a_message_being_sent_does_not_expire
                an_old_message_that_may_have_been_sent_becomes_unknown
                a_claimed_message_can_expire;
        }
    };
    (@modules $make_stage:path; $($port:ident: $($promise:ident)+;)+) => {
        $(
            mod $port {
                #[allow(unused_imports, reason = "a path to the function may be absolute")]
                use super::*;

                $(
                    #[tokio::test(flavor = "multi_thread")]
                    async fn $promise() {
                        let (stage, _guard) = $make_stage().await;
                        $crate::contract::$port::$promise(&stage).await;
                    }
                )+
            }
        )+
    };
}
