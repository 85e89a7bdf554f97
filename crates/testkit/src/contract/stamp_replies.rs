/// The promises about replies and what they change, as a part of [`contract_tests`](crate::contract_tests).
#[macro_export]
macro_rules! contract_tests_of_replies {
    ($make_stage:path) => {
        $crate::contract_tests! { @modules $make_stage;
            replies:
                a_reply_is_kept_as_it_came
                a_repeated_reply_is_kept_once
                a_reply_is_about_the_newest_request_of_its_phone
                replies_and_opt_outs_are_listed_newest_first
                an_export_has_replies_and_opt_outs
                old_replies_are_removed;
            opt_outs:
                a_reply_opts_its_sender_out_and_in
                a_reply_older_than_the_last_change_changes_nothing
                what_waits_for_whoever_opts_out_is_cancelled
                opting_in_revives_nothing
                an_old_message_to_an_opted_out_phone_is_cancelled
                an_undecided_message_is_cancelled_as_one
                a_message_that_is_not_sent_for_an_opt_out_is_cancelled
                a_phone_is_opted_out_and_in_by_hand
                an_erased_person_stays_opted_out
                an_erased_person_is_heard_by_the_order_of_its_words;
            confirmations:
                each_change_by_a_reply_is_confirmed_once
                a_confirmation_waits_and_comes_back
                a_confirmation_is_put_back_once
                an_erased_person_is_not_put_back
                what_a_vanished_process_marked_is_not_called_again
                what_is_due_longest_comes_first
                an_older_confirmation_of_a_phone_goes_first
                an_overtaken_confirmation_is_removed
                a_busy_lane_leaves_a_turn_to_a_confirmation
                a_confirmation_that_nobody_sends_stops_no_message;
        }
    };
}
