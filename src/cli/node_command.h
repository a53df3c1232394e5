// What the commands on a node of this machine have in common.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "base/result.h"
#include "node/protocol.h"

namespace nacre::cli {

// The option --data DIR, which NACRE_DATA gives as well.
void add_data(CLI::App& command, std::string& directory);

// Asks the node that runs in the directory. kNotFound when none runs there; kAccess for other users
// than its own and root.
Result<node::Json> ask_node(const std::string& directory, const node::Request& request);
// The same for node_stop: waits until the node has closed its devices.
Status stop_node(const std::string& directory);

}  // namespace nacre::cli
