#include "block/node_clients.h"

namespace nacre::block {

Result<rpc::Client*> NodeClients::of(const wire::ClusterNode& node) {
  if (node.addresses.empty()) {
    return Error(Code::kInvalid, "node " + to_hex(node.id) + " has no address");
  }
  return &at(TRY(os::parse_address(node.addresses.front())));
}

rpc::Client& NodeClients::at(const os::Address& address) {
  const os::Lock lock(mutex_);
  std::unique_ptr<rpc::Client>& client = clients_[address.to_string()];
  if (client == nullptr) {
    client = std::make_unique<rpc::Client>(clock_, address, security_, options_);
  }
  return *client;
}

}  // namespace nacre::block
