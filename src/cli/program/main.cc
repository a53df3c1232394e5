#include "cli/program.h"

int main(int count, char** words) { return nacre::cli::run_program(count, words); }
