#include "cli/node_command.h"

#include "cli/ask.h"
#include "cli/target.h"
#include "node/control_client.h"

namespace nacre::cli {
namespace {

Result<std::unique_ptr<node::ControlClient>> connect(const std::string& directory) {
  auto client = node::ControlClient::connect(TRY(absolute_path(directory)) + "/control");
  if (!client.ok() && client.code() == Code::kNotFound) {
    return Error(Code::kNotFound, "no node runs in " + directory +
                                      "; `nacre node start --data DIR` starts one, and --data or "
                                      "NACRE_DATA says which is meant");
  }
  if (!client.ok() && client.code() == Code::kAccess) {
    return Error(Code::kAccess, "the node in " + directory +
                                    " belongs to another user, and only that user and root may "
                                    "command it");
  }
  return client;
}

}  // namespace

void add_data(CLI::App& command, std::string& directory) {
  command.add_option("--data", directory, "The node's data directory")
      ->envname("NACRE_DATA")
      ->required();
}

Result<node::Json> ask_node(const std::string& directory, const node::Request& request) {
  const auto client = TRY(connect(directory));
  Watcher watcher;
  return client->call(request, watcher);
}

Status stop_node(const std::string& directory) {
  const auto client = TRY(connect(directory));
  Watcher watcher;
  TRY(client->call({"node_stop"}, watcher));
  return client->wait_for_close();
}

}  // namespace nacre::cli
