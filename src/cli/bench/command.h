// The command line of `nacre bench`.
#pragma once

#include <CLI/CLI.hpp>

namespace nacre::cli::bench {

// Adds `bench DIR [options]` to the subcommands of `parent`. When it is given on the command line
// it runs as the last act of parsing, prints the table or JSON on stdout, progress and errors on
// stderr, and sets `exit_code`: 0, 1 for a failure, 130 when interrupted. Call from one thread of
// the process; SIGINT, SIGTERM and SIGHUP are taken over while it runs.
void add_command(CLI::App& parent, int& exit_code);

}  // namespace nacre::cli::bench
