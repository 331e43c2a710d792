# One line each; what they do is in cargo and in `cargo xtask --help`.

set positional-arguments

# List the recipes
default:
    @just --list

# Sign a file (a fresh pacman database without one) through the confined shell
demo *file:
    cargo xtask demo "$@"

# All tests; `just test --part unit` for one stage
test *options:
    cargo xtask test {{ options }}

# Format the sources
fmt:
    cargo fmt --all

# The lints, as the tests run them
clippy:
    cargo xtask test --part clippy

# What the dependencies may be: bans, licences, sources, advisories
deny:
    cargo xtask test --part deny

# The rules of the tree
tidy:
    cargo xtask tidy

# The dependencies of the login shell against the committed lists; `--bless` rewrites them
closure *options:
    cargo xtask closure {{ options }}

# A release tree of everything that is installed
stage folder="target/stage":
    cargo xtask stage {{ folder }}

# What is released: archives, bills of materials, checksums; `--check` builds everything twice
dist *options:
    cargo xtask dist {{ options }}

# Manual pages or completions of one package: `just generate manpages signstar-admin`
generate kind package:
    cargo xtask {{ kind }} target/{{ kind }} --package {{ package }}

# Speed and memory against other programs
bench *options:
    cargo xtask bench {{ options }}

# Long campaigns: fuzzing, millions of signatures, repeated end-to-end tests
soak minutes="60":
    cargo xtask soak --minutes {{ minutes }}

# A simulated NetHSM on 127.0.0.1:8443, for trying things out
nethsm-simulator *options:
    cargo run --package signstar-nethsm-simulator -- {{ options }}
