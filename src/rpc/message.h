// What a call carries there and back.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "rpc/buffer.h"

namespace nacre::rpc {

// Bytes in pieces: the concatenation of `parts`, which `owner` keeps. Those to send are read until
// they are on the wire, which may be after the call was given up.
struct Payload {
  std::vector<ByteView> parts = {};
  std::shared_ptr<const void> owner = {};

  static Payload of(Buffer buffer);
  size_t size() const;
};

struct Request {
  uint16_t method = 0;  // not 0
  std::string header = {};
  Payload payload = {};
  uint64_t payload_xxh64 = 0;  // if the sender knows it already; 0: not
  int64_t deadline_ns = 0;     // by the monotonic clock; 0: none
  // Try to connect even right after that failed: an error then says how the server is now.
  bool insist = false;
  // Of an answer whose payload does not match its checksum: give it, not intact, instead of failing
  // the call with kTimeout.
  bool takes_damaged = false;
};

// What the client gets.
struct Reply {
  std::string header = {};
  Buffer payload = {};
  uint64_t payload_xxh64 = 0;  // as sent; 0 for an empty payload
  bool is_intact = true;       // whether the payload matches it
};

// What the server gives.
struct Answer {
  std::string header = {};
  Payload payload = {};
  uint64_t payload_xxh64 = 0;  // if the server knows it already; 0: not
};

// Who is at the other end, as its certificate says.
enum class Role {
  kGuest,   // no certificate: may only ask to join
  kClient,  // may use the cluster
  kNode,    // is part of it
};

struct Peer {
  Role role = Role::kGuest;
  std::string name = {};     // of the certificate: the node's id, or who the client is
  std::string address = {};  // for messages
};

}  // namespace nacre::rpc
