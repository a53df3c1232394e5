// The program `nacre`: parses the command line, runs one command, and gives its exit code.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

namespace nacre::cli {

// The parser with every command. A command that runs sets `exit_code`, which outlives it.
std::unique_ptr<CLI::App> make_program(int& exit_code);

// mount(8) and fstab call a file system's helper as `HELPER SOURCE MOUNTPOINT [-o OPTIONS] ...`;
// two paths where a command should be mean `mount`. Gives the arguments with that put right.
std::vector<std::string> with_command(const CLI::App& program, std::vector<std::string> arguments);

int run_program(int count, char** words);

// Overwrites a word of the command line that is a secret, so that it shows in no list of processes.
void conceal_argument(const std::string& word);

}  // namespace nacre::cli
