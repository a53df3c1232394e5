// The program `nacre`: parses the command line, runs one command, and gives its exit code.
#pragma once

namespace nacre::cli {

int run_program(int count, char** words);

}  // namespace nacre::cli
