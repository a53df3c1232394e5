// etcd that wants certificates, from a CA made for the test.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "etcd/admin.h"
#include "os/process.h"
#include "real_cluster.h"

namespace nacre::etcd {
namespace {

// A CA, and one certificate for 127.0.0.1 that serves both sides, as PEM files.
class Certificates {
 public:
  explicit Certificates(const std::string& name) : name_(name) {
    run(R"(
      openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
        -subj "/CN=test CA" -keyout ca.key -out ca.pem
      openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=node" \
        -keyout node.key -out node.csr
      printf "subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n" > extensions
      openssl x509 -req -in node.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 \
        -extfile extensions -out node.pem)");
  }

  TlsFiles files() const {
    return {directory_ / "ca.pem", directory_ / "node.pem", directory_ / "node.key"};
  }

 private:
  void run(const std::string& script) {
    const auto shell = ok(os::Process::start(
        {.program = "sh", .arguments = {"-ec", "cd " + directory_.path() + script}}));
    const auto status = shell->wait(seconds(30));
    EXPECT_TRUE(status && status->clean()) << name_;
  }

  std::string name_;
  os::TempDirectory directory_;
};

class Tls : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    ours = std::make_unique<Certificates>("ours");
    running = std::make_unique<RealCluster>(3, ours->files());
  }
  static void TearDownTestSuite() {
    running.reset();
    ours.reset();
  }
  static RealCluster& cluster() { return *running; }

  static std::unique_ptr<Client> client(const std::optional<TlsFiles>& files) {
    return ok(
        Client::open({.endpoints = running->endpoints(), .tls = files, .deadline = seconds(1)}));
  }
  // Reads and writes are refused, soon, and with that word.
  static void expect_refused(const std::optional<TlsFiles>& files, const std::string& words) {
    const auto client = Tls::client(files);
    const int64_t began_ns = now_ns();
    for (const Error& error : {client->get("k").error(), client->put("k", "v").error()}) {
      EXPECT_THAT(error.code(), testing::AnyOf(Code::kAccess, Code::kUnavailable));
      expect_error(error, error.code(), words);
    }
    EXPECT_LT(now_ns() - began_ns, 6'000'000'000);
  }

  static inline std::unique_ptr<Certificates> ours;

 private:
  static inline std::unique_ptr<RealCluster> running;
};

TEST_F(Tls, ServesThoseWithACertificateOfTheCa) {
  const auto client = this->client(ours->files());
  ok(client->put("k", "v"));
  EXPECT_EQ(ok(client->get("k"))->value, "v");
  for (const EndpointHealth& each : client->admin().health()) EXPECT_TRUE(each.healthy());
}

TEST_F(Tls, RefusesAnotherCa) {
  const Certificates others("others");
  expect_refused(others.files(), "certificates are from the cluster's CA");
}

TEST_F(Tls, RefusesThoseWithoutACertificate) {
  expect_refused(TlsFiles{.ca_file = ours->files().ca_file},
                 "certificates are from the cluster's CA");
}

TEST_F(Tls, RefusesACertificateOfAnotherCa) {
  const Certificates others("others");
  TlsFiles mixed = others.files();
  mixed.ca_file = ours->files().ca_file;
  expect_refused(mixed, "certificates are from the cluster's CA");
}

TEST_F(Tls, RefusesThoseWithoutTls) { expect_refused({}, "TLS"); }

TEST_F(Tls, SaysWhichFileIsMissing) {
  TlsFiles files = ours->files();
  files.key_file = "/no/such/key";
  const auto client = Client::open({.endpoints = {"127.0.0.1:1"}, .tls = files});
  ASSERT_FALSE(client.ok());
  expect_error(client.error(), Code::kNotFound, "/no/such/key");
}

}  // namespace
}  // namespace nacre::etcd
