// The certificate authority of a cluster, and the certificates by which its nodes and clients prove
// who they are. Keys are ECDSA P-256, and everything is PEM text. A certificate names its role
// (organizational unit "node" or "client") and its owner (common name).
//
// Pure functions but for the randomness of keys; safe from any thread.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "rpc/message.h"

namespace nacre::rpc {

// What a node or client shows, and by what it judges others.
struct Credentials {
  std::string ca;           // certificate of the authority
  std::string certificate;  // its own
  std::string key;          // private, of the certificate
};

// With this, certificates are issued: every node has it.
struct Authority {
  std::string certificate;
  std::string key;

  bool operator==(const Authority&) const = default;
};

struct Subject {
  Role role = Role::kClient;
  std::string name = {};
  std::vector<std::string> hosts = {};  // names and numbers the owner is reached at; of nodes
};

// `name` tells clusters apart; it is the common name of the authority.
Result<Authority> make_authority(const std::string& name);
// A new key and a certificate for it.
Result<Credentials> issue(const Authority& authority, const Subject& subject);

// For an owner elsewhere: the key stays there, and the request comes here.
struct SigningRequest {
  std::string request;
  std::string key;
};
Result<SigningRequest> make_request();
// kInvalid when `request` is none or is not signed by its own key.
Result<std::string> sign(const Authority& authority, const std::string& request,
                         const Subject& subject);

// SHA-256 over the certificate, 32 bytes. kCorrupt when it is none.
Result<std::string> fingerprint(const std::string& certificate);
// Role and name in it. kCorrupt when it is no certificate or not one of ours.
Result<Peer> subject_of(const std::string& certificate);

}  // namespace nacre::rpc
