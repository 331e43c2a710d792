//! Packages with one thing wrong each: what is wrong is found, and told by its number.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test fails by a panic"
)]

mod bounds;
mod container;
mod database;
mod folders;
mod form;
mod image;
mod own;
#[path = "../support/lib.rs"]
mod support;

use std::cell::RefCell;
use std::collections::HashSet;

use signstar_inspector::{ArtifactKind, Code, Identity};
use support::{BUILD_INFO, Member, PACKAGE_INFO, archive, gzip, look, package};

fn judge(artifact: &[u8]) -> Result<Identity, Code> {
    look(ArtifactKind::PacmanPackage, &[], artifact).map_err(|found| seen(found.code))
}

#[track_caller]
fn assert_refused(members: &[Member], code: Code) {
    assert_eq!(judge(&gzip(&archive(members))), Err(code));
}

/// A sound package with these members behind its own files.
fn with(further: &[Member]) -> Vec<Member> {
    package(PACKAGE_INFO, BUILD_INFO, further)
}

fn sound() -> Vec<Member> {
    with(&[
        Member::folder("usr"),
        Member::file("usr/greeting", b"hello"),
        Member::link("usr/salute", "greeting"),
    ])
}

fn support_sum(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    let sum = sha2::Sha256::digest(bytes);
    sum.iter().map(|byte| format!("{byte:02x}")).collect()
}

thread_local! {
    /// What this thread's tests were told.
    static SEEN: RefCell<HashSet<u16>> = RefCell::default();
}

/// Notes that an artifact was refused for `code`.
fn seen(code: Code) -> Code {
    SEEN.with_borrow_mut(|seen| seen.insert(code.number()));
    code
}

/// All of these tests again, in one thread: between them, they are told every code that there is.
#[test]
fn every_code_is_told_by_some_test() {
    let tests: [fn(); 41] = [
        container::a_container_that_is_not_exactly_one_is_refused,
        container::zstd_frames_that_are_special_are_refused,
        container::a_damaged_archive_is_refused,
        form::a_hard_link_to_a_file_before_it_is_taken,
        form::long_and_unicode_paths_are_taken_by_prefix_and_extension,
        form::bytes_hidden_behind_a_content_are_refused,
        form::headers_that_readers_understand_differently_are_refused,
        form::paths_that_lead_elsewhere_are_refused,
        form::a_path_that_is_there_twice_or_below_a_link_is_refused,
        form::an_extended_header_that_says_more_than_a_path_is_refused,
        own::a_sound_package_is_taken_and_named,
        own::a_package_without_its_own_files_is_refused,
        own::own_files_that_disagree_are_refused,
        own::own_files_that_are_malformed_are_refused,
        own::a_list_that_differs_from_the_archive_is_refused,
        own::what_rules_refuse_is_told_with_the_identity,
        own::every_rule_of_a_package_has_its_code,
        own::arguments_that_are_no_order_are_refused,
        database::a_sound_database_is_taken_and_counted,
        database::a_database_of_something_else_is_refused,
        database::a_file_of_a_database_has_its_own_sections_only,
        database::descriptions_that_repo_add_does_not_write_are_refused,
        database::a_package_that_is_there_twice_is_refused,
        database::a_description_in_the_folder_of_another_is_refused,
        database::rules_hold_for_every_package_in_a_database,
        database::what_is_wrong_in_a_database_has_its_place,
        image::a_sound_image_is_taken_and_named,
        image::descriptors_of_another_kind_are_refused,
        image::an_image_that_begins_as_something_else_is_refused,
        folders::what_pacman_takes_for_its_own_is_refused_by_every_name,
        folders::folders_that_readers_could_find_elsewhere_are_refused,
        image::an_image_of_another_size_than_it_says_is_refused,
        image::a_hybrid_image_ends_with_its_last_partition_and_zeros,
        image::a_guid_partition_table_tells_the_last_block,
        image::rules_allow_volumes_by_name,
        image::input_that_cannot_be_read_is_refused,
        bounds::an_archive_has_a_million_entries_at_most,
        bounds::files_of_a_package_that_are_kept_have_a_size,
        bounds::files_of_a_database_have_a_size,
        bounds::names_and_paths_have_the_lengths_of_linux,
        bounds::an_endless_stream_is_left_where_it_goes_wrong,
    ];
    tests.into_iter().for_each(|test| test());
    let untold = |code: &Code| SEEN.with_borrow(|seen| !seen.contains(&code.number()));
    let missing: Vec<Code> = Code::all().filter(untold).collect();
    assert_eq!(missing, []);
}
