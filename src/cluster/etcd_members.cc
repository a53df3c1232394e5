#include "cluster/etcd_members.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>

namespace nacre::cluster {
namespace {

using namespace std::chrono_literals;

constexpr auto kRoundInterval = 1s;
constexpr auto kLookLimit = 1s;
constexpr auto kCallLimit = 2s;
constexpr int64_t kSettleNs = 3'000'000'000;
constexpr int64_t kSecondNs = 1'000'000'000;

etcd::MembershipRules rules_of(const NodeConfig& config) {
  return {.grace_ns = static_cast<int64_t>(config.etcd_grace_s) * kSecondNs,
          .settle_ns = kSettleNs};
}

}  // namespace

EtcdMembers::EtcdMembers(const Parts& parts, std::unique_ptr<etcd::Client> client)
    : parts_(parts),
      node_(to_hex(parts.config.get().node)),
      tls_(etcd_tls(parts.files, parts.config.get())),
      client_(std::move(client)),
      coordinator_(*client_, parts.clock, node_, rules_of(parts.config.get()), tls_.has_value()) {}

Result<std::unique_ptr<EtcdMembers>> EtcdMembers::open(const Parts& parts) {
  const NodeConfig config = parts.config.get();
  auto client = TRY(etcd::Client::open(
      {.endpoints = config.etcd, .tls = etcd_tls(parts.files, config), .deadline = kCallLimit}));
  return std::unique_ptr<EtcdMembers>(new EtcdMembers(parts, std::move(client)));
}

void EtcdMembers::start() {
  thread_ = os::Thread("etcd-members", [this] { run(); });
}

void EtcdMembers::stop() {
  {
    const os::Lock lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

void EtcdMembers::run() {
  for (;;) {
    const Status tended = parts_.own.tend_log();
    Status done = round();
    if (done.ok()) done = tended;
    const os::Lock lock(mutex_);
    if (!done.ok() && !trouble_) spdlog::warn("members of etcd: {}", done.error().to_string());
    trouble_ = done.ok() ? std::nullopt : std::optional(done.error());
    if (!stopping_) changed_.wait_for(mutex_, kRoundInterval);
    if (stopping_) break;
  }
  coordinator_.resign();
}

Status EtcdMembers::round() {
  const Picture picture = TRY(look());
  {
    const os::Lock lock(mutex_);
    seen_ = picture;
    if (stopping_) return {};
  }
  TRY(follow(picture));
  TRY(tend_own(picture));
  TRY(offer(picture));
  if (!coordinator_.leads(picture.coordinator)) return {};
  return coordinator_.act(*parts_.registry.view(), picture.members, picture.step);
}

// The transaction is a read that the member answers only once it has all that was agreed before;
// its list is as new then, at least.
Result<EtcdMembers::Picture> EtcdMembers::look_at(const std::string& endpoint) {
  auto& client = clients_[endpoint];
  if (client == nullptr) {
    client =
        TRY(etcd::Client::open({.endpoints = {endpoint}, .tls = tls_, .deadline = kLookLimit}));
  }
  const etcd::TxnResult read =
      TRY(client->transact({.then = {etcd::Get{.range = {.lower = kAblePrefix + node_}},
                                     etcd::Get{.range = {.lower = kCoordinatorKey}},
                                     etcd::Get{.range = {.lower = kStepKey}}}}));
  const auto value = [&](size_t i) -> std::optional<std::string> {
    if (i >= read.results.size() || read.results[i].rows.empty()) return std::nullopt;
    return read.results[i].rows.front().value;
  };
  return Picture{.members = TRY(client->admin().members()),
                 .offer = value(0),
                 .coordinator = value(1),
                 .step = value(2).value_or("")};
}

Result<EtcdMembers::Picture> EtcdMembers::look() {
  std::vector<std::string> endpoints = parts_.config.get().etcd;
  const auto good = std::ranges::find(endpoints, good_);
  if (good != endpoints.end()) std::rotate(endpoints.begin(), good, endpoints.end());
  std::erase_if(clients_, [&](const auto& each) {
    return std::ranges::find(endpoints, each.first) == endpoints.end();
  });
  Error last(Code::kUnavailable, "no member of etcd is known");
  for (const std::string& endpoint : endpoints) {
    auto picture = look_at(endpoint);
    if (picture.ok()) {
      good_ = endpoint;
      return picture;
    }
    last = picture.error();
    const os::Lock lock(mutex_);
    if (stopping_) break;
  }
  return last;
}

// Learners answer nobody's questions.
Status EtcdMembers::follow(const Picture& picture) {
  std::vector<std::string> endpoints;
  for (const etcd::MemberInfo& member : picture.members) {
    if (member.learner || member.client_urls.empty()) continue;
    endpoints.push_back(address_of_url(member.client_urls.front()));
  }
  std::ranges::sort(endpoints);
  if (endpoints.empty() || endpoints == parts_.config.get().etcd) return {};
  client_->set_endpoints(endpoints);
  parts_.client.set_endpoints(endpoints);
  return parts_.config.change([&](NodeConfig& config) { config.etcd = endpoints; });
}

const etcd::MemberInfo* EtcdMembers::find_own(const std::vector<etcd::MemberInfo>& members) const {
  const std::string peer = parts_.own.peer_address();
  const auto found = std::ranges::find_if(members, [&](const etcd::MemberInfo& member) {
    const bool here = std::ranges::any_of(
        member.peer_urls, [&](const auto& url) { return address_of_url(url) == peer; });
    return member.name == node_ || (member.name.empty() && here);
  });
  return found == members.end() ? nullptr : &*found;
}

Status EtcdMembers::tend_own(const Picture& picture) {
  const etcd::MemberInfo* const mine = find_own(picture.members);
  if (mine == nullptr) {
    blocked_ = false;
    return parts_.own.runs() ? parts_.own.drop() : Status();
  }
  if (!mine->name.empty()) return {};  // it has run
  bool begins = !parts_.own.runs();
  if (!begins) {
    // That of an earlier one, which was removed, or the others have changed before it has started.
    const Status state = parts_.own.look();
    begins = state.code() == Code::kNotFound || state.code() == Code::kInvalid;
    blocked_ = state.code() == Code::kBusy;
  }
  if (!begins) return {};
  const etcd::MemberOptions self{
      .name = node_, .peer_advertised = parts_.own.peer_address(), .tls = tls_};
  return parts_.own.begin(etcd::peers_to_join(picture.members, self));
}

Status EtcdMembers::offer(const Picture& picture) {
  std::optional<std::string> wanted;
  if (!blocked_ && OwnMember::is_installed()) {
    wanted = encode(
        MemberOffer{.peer = parts_.own.peer_address(), .client = parts_.own.client_address()});
  }
  if (wanted == picture.offer) return {};
  const std::string key = kAblePrefix + node_;
  if (wanted) {
    TRY(client_->put(key, *wanted));
  } else {
    TRY(client_->erase({.lower = key}));
  }
  return {};
}

EtcdMembersStatus EtcdMembers::status() {
  EtcdMembersStatus status;
  Picture seen;
  {
    const os::Lock lock(mutex_);
    seen = seen_;
    if (trouble_) status.trouble = trouble_->to_string();
  }
  status.step = seen.step;
  for (const etcd::MemberInfo& member : seen.members) {
    if (member.name == node_) status.own = member.learner ? "learner" : "voter";
    if (member.learner) {
      ++status.learners;
      continue;
    }
    ++status.voters;
    if (member.client_urls.empty()) continue;
    const auto answer = client_->admin().status_of(address_of_url(member.client_urls.front()));
    const bool healthy = answer.ok() && answer->leader != etcd::MemberId{};
    status.voters_healthy += healthy ? 1 : 0;
    if (member.name != node_ || healthy) continue;
    if (const auto failure = parts_.own.failure()) status.trouble = failure->to_string();
  }
  return status;
}

}  // namespace nacre::cluster
