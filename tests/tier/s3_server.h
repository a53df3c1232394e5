// A server of S3 as a process on loopback, and a proxy with faults in front of it. For the suites
// of this folder.
#pragma once

#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

#include "bucket/s3_options.h"
#include "os/process.h"
#include "os/temp_directory.h"

namespace nacre::bucket {

enum class Scheme { kHttp, kHttps };

// With one bucket, "tier", in a directory that lives as long as this does.
class S3Server {
 public:
  explicit S3Server(Scheme scheme = Scheme::kHttp);
  // kill -9.
  void kill();
  // On the port of before.
  void start();
  uint16_t port() const { return port_; }
  std::string url() const {
    return fmt::format("{}://127.0.0.1:{}", scheme_ == Scheme::kHttps ? "https" : "http", port_);
  }
  // That of a server with Scheme::kHttps, signed by itself.
  std::string certificate() const { return directory_ / "certificate.pem"; }

 private:
  void make_certificate();

  os::TempDirectory directory_;
  const Scheme scheme_;
  const uint16_t port_;
  int starts_ = 0;
  std::unique_ptr<os::Process> process_;
};

// tests/tier/fault_proxy.
class FaultProxy {
 public:
  FaultProxy(const S3Server& server, uint64_t seed);
  std::string url() const { return fmt::format("http://127.0.0.1:{}", port_); }
  // A command in JSON, as the proxy documents them; its answer.
  std::string tell(const std::string& command);
  void set_rules(const std::string& rules) { tell("{\"rules\": [" + rules + "]}"); }

 private:
  os::TempDirectory directory_;
  std::unique_ptr<os::Process> process_;
  uint16_t port_ = 0;
  uint16_t control_port_ = 0;
};

// Of the bucket "tier" at the server or proxy with that URL, below a prefix that nobody else has.
S3Options options_for(const std::string& url);

}  // namespace nacre::bucket
