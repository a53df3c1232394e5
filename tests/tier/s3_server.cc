#include "s3_server.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <fstream>
#include <functional>

#include "base/check.h"
#include "os/tcp.h"

namespace nacre::bucket {
namespace {

constexpr std::chrono::seconds kPatience(30);

bool eventually(const std::function<bool()>& condition) {
  const int64_t end_ns =
      os::real_clock().monotonic_ns() + std::chrono::nanoseconds(kPatience).count();
  while (!condition()) {
    if (os::real_clock().monotonic_ns() > end_ns) return false;
    ::usleep(20'000);
  }
  return true;
}

uint16_t free_port() {
  const auto listener = os::TcpListener::listen({"127.0.0.1", 0});
  CHECK(listener.ok());
  return (*listener)->port();
}

std::unique_ptr<os::Process> start_process(const os::ProcessOptions& options) {
  auto process = os::Process::start(options);
  if (!process.ok()) fmt::print(stderr, "{}\n", process.error().to_string());
  CHECK(process.ok());
  return process.take();
}

}  // namespace

S3Server::S3Server(Scheme scheme) : scheme_(scheme), port_(free_port()) {
  if (scheme == Scheme::kHttps) make_certificate();
  start();
}

void S3Server::make_certificate() {
  const auto openssl =
      start_process({.program = "openssl",
                     .arguments = {"req", "-x509", "-newkey", "ec", "-pkeyopt",
                                   "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                                   "/CN=s3", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout",
                                   directory_ / "key.pem", "-out", certificate()}});
  const auto ended = openssl->wait(kPatience);
  CHECK(ended && ended->clean());
}

void S3Server::start() {
  const std::string log = directory_ / fmt::format("log{}", ++starts_);
  const std::string runner = std::string(NACRE_TIER) + "/run_s3rver.js";
  os::ProcessOptions options{
      .program = "node",
      // Its tokens for listings are DES.
      .arguments = {"--openssl-legacy-provider", runner, NACRE_S3RVER, "--directory",
                    directory_ / "data", "--address", "127.0.0.1", "--port", std::to_string(port_),
                    "--silent"},
      .log_path = log};
  if (scheme_ == Scheme::kHttps) {
    for (const std::string& each :
         {std::string("--key"), directory_ / "key.pem", std::string("--cert"), certificate()}) {
      options.arguments.push_back(each);
    }
  }
  options.arguments.insert(options.arguments.end(), {"--configure-bucket", "tier"});
  process_ = start_process(options);
  const bool up = eventually([&] {
    return os::connect_tcp({"127.0.0.1", port_}, std::chrono::nanoseconds(kPatience).count()).ok();
  });
  if (!up) {
    fmt::print(stderr, "s3rver does not start; is it installed (tests/tier/install-s3rver)?\n{}\n",
               std::string(std::istreambuf_iterator<char>(std::ifstream(log).rdbuf()), {}));
  }
  CHECK(up);
}

void S3Server::kill() {
  process_->signal(SIGKILL);
  process_->wait(kPatience);
}

FaultProxy::FaultProxy(const S3Server& server, uint64_t seed) {
  const std::string ports = directory_ / "ports";
  process_ = start_process({.program = NACRE_TIER "/fault_proxy",
                            .arguments = {"--upstream", fmt::format("127.0.0.1:{}", server.port()),
                                          "--seed", std::to_string(seed), "--ports-file", ports},
                            .log_path = directory_ / "log"});
  CHECK(eventually([&] {
    std::ifstream file(ports);
    return (file >> port_ >> control_port_) && true;
  }));
}

std::string FaultProxy::tell(const std::string& command) {
  auto stream =
      os::connect_tcp({"127.0.0.1", control_port_}, std::chrono::nanoseconds(kPatience).count());
  CHECK(stream.ok());
  std::string line = command;
  std::ranges::replace(line, '\n', ' ');
  line += '\n';
  const ByteView parts[] = {as_bytes(line)};
  CHECK((*stream)->write_all(parts).ok());
  std::string answer;
  while (!answer.ends_with('\n')) {
    std::string piece(4096, '\0');
    const auto count = (*stream)->read_some(as_writable_bytes(piece));
    CHECK(count.ok() && *count > 0);
    answer.append(piece, 0, *count);
  }
  CHECK(answer.find("error") == std::string::npos);
  return answer;
}

S3Options options_for(const std::string& url) {
  // A proxy in the environment is not for loopback.
  CHECK(::setenv("no_proxy", "127.0.0.1", 1) == 0);
  static std::atomic<int> numbers = 0;
  return {.endpoint = parse_endpoint(url).take(),
          .bucket = parse_bucket_url(fmt::format("s3://tier/of{:04}", ++numbers)).take(),
          .credentials = {.key_id = "S3RVER", .secret = "S3RVER", .origin = "the test"},
          .connect_timeout = std::chrono::seconds(3),
          .stall_timeout = std::chrono::seconds(4)};
}

}  // namespace nacre::bucket
