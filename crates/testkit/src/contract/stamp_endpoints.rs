/// The promises about endpoints and what they are told, as a part of [`contract_tests`](crate::contract_tests).
#[macro_export]
macro_rules! contract_tests_of_endpoints {
    ($make_stage:path) => {
        $crate::contract_tests! { @modules $make_stage;
            endpoints:
                an_endpoint_is_shown_as_it_was_made
                an_owner_has_so_many_endpoints_and_no_more
                of_many_made_at_once_no_more_are_made_than_may_be
                another_owners_endpoint_is_unknown
                a_change_leaves_what_it_does_not_name
                every_change_of_an_endpoint_is_noted
                deliveries_are_listed_newest_first_in_pages;
            event_outbox:
                a_test_goes_to_its_endpoint_alone
                an_endpoint_gets_one_call_at_a_time
                an_expired_lease_settles_nothing
                a_delivery_that_failed_waits_for_its_next_attempt
                a_delivery_that_was_given_back_is_due_as_before
                a_disabled_endpoint_keeps_what_waits
                it_is_known_how_long_an_endpoint_is_silent
                a_removed_endpoint_gets_nothing
                what_is_old_is_told_no_more;
            event_turns:
                endpoints_that_fail_have_room_of_their_own
                who_waits_longest_is_taken_first
                copies_share_the_endpoints
                any_delivery_can_be_made_again_at_once
                what_is_asked_for_during_an_attempt_is_done_after_it
                no_more_attempts_are_kept_than_are_told;
            told:
                each_state_of_a_message_is_told_once
                a_message_that_ends_says_why
                events_go_to_who_wants_them
                what_was_before_an_endpoint_is_not_told
                a_block_and_its_end_are_told_once
                a_low_quota_is_told_once_until_it_is_enough
                a_package_that_ends_within_a_week_is_told_once
                the_account_of_a_dealer_with_an_endpoint_is_watched
                replies_and_opt_outs_are_told
                no_person_is_in_what_is_told
                a_disabled_endpoint_is_told_to_others_once;
        }
    };
}
