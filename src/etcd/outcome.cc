#include "etcd/outcome.h"

#include <fmt/format.h>

#include <array>
#include <string_view>

namespace nacre::etcd {
namespace {

constexpr std::string_view kStartMajority =
    "a majority of etcd's members must run and reach each "
    "other";
constexpr std::string_view kCheckCertificates =
    "check that both sides' certificates are from the cluster's CA and valid today, and that "
    "etcd's "
    "names this address";

// etcd's own words, the beginning after "etcdserver: ". They are part of its interface: its own
// client goes by them, too.
struct Known {
  std::string_view words;
  Outcome outcome;
};

const std::array<Known, 25>& known() {
  using enum Code;
  static const std::array<Known, 25> kAll = {{
      {"no leader", {kUnavailable, true, true, std::string(kStartMajority)}},
      {"not capable", {kUnavailable, true, true, {}}},
      {"rpc not supported for learner", {kUnavailable, true, true, {}}},
      {"too many requests", {kOverloaded, true, true, {}}},
      {"not leader", {kUnavailable, true, true, {}}},
      {"leader changed", {kUnavailable, false, true, {}}},
      {"request timed out", {kUnavailable, false, true, std::string(kStartMajority)}},
      {"server stopped", {kUnavailable, false, true, {}}},
      {"mvcc: database space exceeded",
       {kNoSpace, true, false, "compact and defragment etcd, then disarm its NOSPACE alarm"}},
      {"request is too large", {kTooBig, true, false, {}}},
      {"too many operations in txn request", {kTooBig, true, false, {}}},
      {"duplicate key given in txn request", {kInvalid, true, false, {}}},
      {"key is not provided", {kInvalid, true, false, {}}},
      {"mvcc: required revision has been compacted", {kBelowFloor, true, false, {}}},
      {"mvcc: required revision is a future revision", {kOutOfRange, true, false, {}}},
      {"requested lease not found", {kNotFound, true, false, {}}},
      {"member not found", {kNotFound, true, false, {}}},
      {"member ID already exist", {kExists, true, false, {}}},
      {"Peer URLs already exists", {kExists, true, false, {}}},
      {"given member URLs are invalid", {kInvalid, true, false, {}}},
      {"can only promote a learner member which is in sync", {kBusy, true, false, {}}},
      {"can only promote a learner member", {kInvalid, true, false, {}}},
      {"too many learner members", {kBusy, true, false, {}}},
      {"re-configuration failed", {kBusy, true, false, {}}},
      {"unhealthy cluster", {kBusy, true, false, {}}},
  }};
  return kAll;
}

bool contains(const std::string& text, std::string_view words) {
  return text.find(words) != std::string::npos;
}

Outcome judge_broken(const RpcStatus& status, bool tls, bool answered) {
  Outcome outcome{Code::kUnavailable, !status.connected, true, {}};
  const auto said = [&](std::string_view words) { return contains(status.message, words); };
  const bool we_refuse = said("CERTIFICATE_VERIFY_FAILED") || said("Hostname Verification");
  // Somebody took the connection and closed it. With TLS 1.3 a server refuses our certificate only
  // after we think that all is well.
  const bool closed = status.connected || said("handshake failed") ||
                      said("Endpoint read failed") || said("Socket closed") ||
                      said("Connection reset");
  if (tls && !answered && (we_refuse || closed)) {
    outcome.code = Code::kAccess;
    outcome.what_to_do = kCheckCertificates;
  } else if (!tls && !answered && closed) {
    outcome.what_to_do = "if this etcd wants TLS, give the certificates";
  } else if (!status.connected) {
    outcome.what_to_do = "check that etcd runs there and can be reached";
  }
  return outcome;
}

}  // namespace

Outcome judge(const RpcStatus& status, bool tls, bool answered) {
  constexpr std::string_view kPrefix = "etcdserver: ";
  if (status.message.starts_with(kPrefix)) {
    const std::string_view words = std::string_view(status.message).substr(kPrefix.size());
    for (const Known& each : known()) {
      if (words.starts_with(each.words)) return each.outcome;
    }
  }
  switch (status.code) {
    case RpcCode::kUnavailable:
      return judge_broken(status, tls, answered);
    case RpcCode::kDeadlineExceeded:
      return {Code::kTimeout, !status.connected, true, std::string(kStartMajority)};
    case RpcCode::kPermissionDenied:
    case RpcCode::kUnauthenticated:
      return {Code::kAccess, true, false, std::string(kCheckCertificates)};
    case RpcCode::kResourceExhausted:
      // gRPC's own limits.
      return {contains(status.message, "larger than max") ? Code::kTooBig : Code::kOverloaded,
              true,
              false,
              {}};
    case RpcCode::kInvalidArgument:
      return {Code::kInvalid, true, false, {}};
    case RpcCode::kUnimplemented:
      return {Code::kUnsupported, true, false, "use etcd 3.4 or later"};
    case RpcCode::kDataLoss:
      return {Code::kCorrupt, false, false, "etcd raised its CORRUPT alarm: replace that member"};
    case RpcCode::kCancelled:
      return {Code::kCancelled, false, false, {}};
    default:
      return {Code::kIo, false, false, {}};
  }
}

Error describe(const Outcome& outcome, const RpcStatus& status, const std::string& endpoint,
               const std::string& method, bool writes) {
  Code code = outcome.code;
  std::string doubt;
  if (code == Code::kUnavailable || code == Code::kTimeout) {
    code = writes && !outcome.not_done ? Code::kTimeout : Code::kUnavailable;
    if (code == Code::kTimeout) doubt = "; it may or may not have been done";
  }
  const std::string name = method.substr(method.rfind('/') + 1);
  std::string advice = outcome.what_to_do.empty() ? "" : ": " + outcome.what_to_do;
  return Error(
      code, fmt::format("etcd at {}: {}: {}{}{}", endpoint, name, status.message, doubt, advice));
}

}  // namespace nacre::etcd
