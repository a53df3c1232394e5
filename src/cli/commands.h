// The commands, one file each (command_*.cc). Each adds its subcommand to the parser; when it is
// the one given, it runs as the last act of parsing and sets the exit code.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

#include "base/result.h"
#include "cli/exit_code.h"

namespace nacre::cli {

// The argument PATH of commands on a file and its past.
void add_path(CLI::App& command, std::string& path);

void add_volume(CLI::App& program, int& exit_code);
// Of `volume`.
void add_volume_set(CLI::App& volume, int& exit_code);
void add_volume_destroy(CLI::App& volume, int& exit_code);
void add_mount(CLI::App& program, int& exit_code);
void add_unmount(CLI::App& program, int& exit_code);
void add_status(CLI::App& program, int& exit_code);
void add_history(CLI::App& program, int& exit_code);
void add_restore(CLI::App& program, int& exit_code);
void add_snapshot(CLI::App& program, int& exit_code);
void add_retention(CLI::App& program, int& exit_code);
void add_prune(CLI::App& program, int& exit_code);
void add_compact(CLI::App& program, int& exit_code);
void add_tier(CLI::App& program, int& exit_code);
void add_tier_worker(CLI::App& tier, int& exit_code);
void add_check(CLI::App& program, int& exit_code);
void add_flush(CLI::App& program, int& exit_code);
void add_forget(CLI::App& program, int& exit_code);
void add_node(CLI::App& program, int& exit_code);
void add_device(CLI::App& program, int& exit_code);
void add_objects(CLI::App& program, int& exit_code);
void add_corrupt(CLI::App& program, int& exit_code);
void add_cluster(CLI::App& program, int& exit_code);
void add_completion(CLI::App& program, int& exit_code);

// Runs `body` when `command` is given; an error is printed and becomes the exit code.
void on_command(CLI::App& command, int& exit_code, std::function<Status()> body);

}  // namespace nacre::cli
