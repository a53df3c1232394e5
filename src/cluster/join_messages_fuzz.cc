// The messages of a join: a request may come from anybody. The first byte chooses arbitrary bytes,
// or a good message of which some are changed. What decodes must encode to something that decodes
// to the same.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "cluster/founding.h"
#include "wire/cursor.h"

namespace {

using namespace nacre;
using namespace nacre::cluster;

void try_request(std::string_view text) {
  const Result<JoinRequest> request = decode_join_request(text);
  if (!request.ok()) return;
  const Result<JoinRequest> again = decode_join_request(encode(*request));
  CHECK(again.ok() && *again == *request);
}

void try_grant(std::string_view text) {
  const Result<JoinGrant> grant = decode_join_grant(text);
  if (!grant.ok()) return;
  const Result<JoinGrant> again = decode_join_grant(encode(*grant));
  CHECK(again.ok() && *again == *grant);
}

std::string good_request() {
  return encode(JoinRequest{.token = "nacre1-t",
                            .request = "r",
                            .node = {1, 2},
                            .name = "n",
                            .zone = "\"z\\",
                            .advertise = "h:1"});
}

// Texts in both of their forms.
std::string good_grant() {
  std::string text = encode(JoinGrant{.role = rpc::Role::kNode,
                                      .cluster = {3, 4},
                                      .ca = "c",
                                      .certificate = "d",
                                      .secrets = {.authority = {.certificate = "c", .key = "k"},
                                                  .token_key = std::string("\0\xff", 2)},
                                      .etcd = {"h:2", "h:3"},
                                      .runs_etcd = true});
  const std::string_view plain = "\"certificate\":\"d\"";
  return text.replace(text.find(plain), plain.size(), "\"certificate\":{\"bytes\":\"64\"}");
}

// Each four bytes are a change: where, whether a byte is replaced, put in or taken out, and which.
std::string changed(std::string text, std::string_view changes) {
  wire::Reader in(changes);
  while (in.remaining() >= 4) {
    const size_t at = in.u16() % (text.size() + 1);
    const uint8_t what = in.u8() % 3;
    const char byte = static_cast<char>(in.u8());
    if (what == 0 && at < text.size()) text[at] = byte;
    if (what == 1) text.insert(at, 1, byte);
    if (what == 2) text.erase(at, 1);
  }
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  switch (data[0] % 4) {
    case 0:
      try_request(text);
      break;
    case 1:
      try_grant(text);
      break;
    case 2:
      try_request(changed(good_request(), text));
      break;
    default:
      try_grant(changed(good_grant(), text));
  }
  return 0;
}
