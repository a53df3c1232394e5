#include "etcd/channel.h"

#include <grpc/support/log.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/byte_buffer.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "os/file_system.h"
#include "os/thread.h"

namespace nacre::etcd {
namespace {

using std::chrono::nanoseconds;

constexpr int kReconnectMsMin = 100;
constexpr int kReconnectMsMax = 1'000;
constexpr int kConnectMsMax = 2'000;
// etcd closes connections that ask more often than every 5 s (--grpc-keepalive-min-time).
constexpr int kKeepaliveMs = 10'000;
constexpr int kKeepaliveTimeoutMs = 5'000;
constexpr uint64_t kPemBytesMax = 1 << 20;

gpr_timespec deadline_after(nanoseconds limit) {
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                      gpr_time_from_nanos(std::max<int64_t>(limit.count(), 0), GPR_TIMESPAN));
}

grpc::ByteBuffer to_buffer(const std::string& message) {
  const grpc::Slice slice(message);
  return {&slice, 1};
}

std::string to_string(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string text;
  if (!buffer.Dump(&slices).ok()) return text;
  text.reserve(buffer.Length());
  for (const grpc::Slice& slice : slices) {
    text.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return text;
}

// How gRPC says that a call never left because there is no connection.
bool never_connected(const grpc::Status& status) {
  const std::string& text = status.error_message();
  return status.error_code() == grpc::StatusCode::UNAVAILABLE &&
         (text.starts_with("failed to connect to all addresses") ||
          text.starts_with("empty address list") || text.starts_with("DNS resolution failed"));
}

RpcStatus to_status(const grpc::Status& status) {
  return {static_cast<RpcCode>(status.error_code()), status.error_message(),
          !never_connected(status)};
}

void prepare(grpc::ClientContext& context, const RpcRequest& request) {
  if (request.needs_leader) context.AddMetadata("hasleader", "true");
}

class GrpcStream final : public RpcStream {
 public:
  GrpcStream(grpc::GenericStub& stub, const RpcRequest& request) {
    prepare(context_, request);
    call_ = stub.PrepareCall(&context_, request.method, &queue_);
    first_ = request.message;
    call_->StartCall(tag_of(Step::kStart));
    starting_ = true;
  }

  ~GrpcStream() override {
    context_.TryCancel();
    if (!finished_ && !starting_) finish();
    queue_.Shutdown();
    void* tag = nullptr;
    bool ok = false;
    while (queue_.Next(&tag, &ok)) {
    }
  }

  bool write(const std::string& message) override {
    if (starting_ || writing_ || broken_) return false;
    writing_ = true;
    call_->Write(to_buffer(message), tag_of(Step::kWrite));
    return true;
  }

  Read read(nanoseconds limit) override {
    const gpr_timespec until = deadline_after(limit);
    for (;;) {
      if (arrived_) {
        arrived_ = false;
        return {{}, to_string(std::exchange(incoming_, {}))};
      }
      if (broken_) return {finish()};
      if (!starting_ && !reading_) {
        reading_ = true;
        call_->Read(&incoming_, tag_of(Step::kRead));
      }
      void* tag = nullptr;
      bool ok = false;
      if (queue_.AsyncNext(&tag, &ok, until) != grpc::CompletionQueue::GOT_EVENT) return {};
      take(tag, ok);
    }
  }

  void cancel() override { context_.TryCancel(); }

 private:
  enum class Step : char { kStart, kWrite, kRead, kFinish };

  void* tag_of(Step step) { return &tags_[static_cast<size_t>(step)]; }

  void take(void* tag, bool ok) {
    if (!ok) broken_ = true;
    if (tag == tag_of(Step::kStart)) {
      starting_ = false;
      if (ok) write(first_);
    } else if (tag == tag_of(Step::kWrite)) {
      writing_ = false;
    } else if (tag == tag_of(Step::kRead)) {
      reading_ = false;
      arrived_ = ok;
    } else if (tag == tag_of(Step::kFinish)) {
      finished_ = true;
    }
  }

  // Waits for the end and says why. To be called when an operation failed or all were cancelled.
  RpcStatus finish() {
    if (!finished_) {
      call_->Finish(&status_, tag_of(Step::kFinish));
      void* tag = nullptr;
      bool ok = false;
      while (!finished_ && queue_.Next(&tag, &ok)) take(tag, ok);
    }
    RpcStatus status = to_status(status_);
    if (status.code == RpcCode::kOk) status = {RpcCode::kUnavailable, "etcd ended the stream"};
    return status;
  }

  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> call_;
  std::string first_;
  grpc::ByteBuffer incoming_;
  grpc::Status status_;
  char tags_[4] = {};
  bool starting_ = false;
  bool reading_ = false;
  bool writing_ = false;
  bool arrived_ = false;
  bool broken_ = false;
  bool finished_ = false;
};

class GrpcChannel final : public Channel {
 public:
  explicit GrpcChannel(std::shared_ptr<grpc::Channel> channel)
      : channel_(std::move(channel)), stub_(channel_) {}

  RpcReply call(const RpcRequest& request, nanoseconds limit, nanoseconds connect_limit) override {
    const gpr_timespec until = deadline_after(limit);
    if (!connect(deadline_after(std::min(limit, connect_limit)))) {
      return {{RpcCode::kUnavailable, "no connection within the time for it", false}};
    }
    grpc::ClientContext context;
    context.set_deadline(until);
    prepare(context, request);
    grpc::CompletionQueue queue;
    const auto call =
        stub_.PrepareUnaryCall(&context, request.method, to_buffer(request.message), &queue);
    grpc::ByteBuffer response;
    grpc::Status status;
    call->StartCall();
    call->Finish(&response, &status, this);
    void* tag = nullptr;
    bool ok = false;
    queue.Next(&tag, &ok);  // there is one event, and it comes by the deadline
    queue.Shutdown();
    while (queue.Next(&tag, &ok)) {
    }
    return {to_status(status), status.ok() ? to_string(response) : std::string()};
  }

  std::unique_ptr<RpcStream> stream(const RpcRequest& request) override {
    return std::make_unique<GrpcStream>(stub_, request);
  }

 private:
  // Waits until a call would be sent or refused at once: what runs out of time here was never sent.
  bool connect(gpr_timespec until) {
    for (;;) {
      const grpc_connectivity_state state = channel_->GetState(true);
      if (state == GRPC_CHANNEL_READY || state == GRPC_CHANNEL_TRANSIENT_FAILURE) return true;
      if (!channel_->WaitForStateChange(state, until)) return false;
    }
  }

  const std::shared_ptr<grpc::Channel> channel_;
  grpc::GenericStub stub_;
};

class GrpcDialer final : public Dialer {
 public:
  explicit GrpcDialer(std::shared_ptr<grpc::ChannelCredentials> credentials)
      : credentials_(std::move(credentials)), poller_("etcd-poller", [this] { poll(); }) {}

  ~GrpcDialer() override { idle_.Shutdown(); }

  std::shared_ptr<Channel> dial(const std::string& endpoint) override {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kReconnectMsMin);
    arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kReconnectMsMax);
    arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kConnectMsMax);  // limits one attempt
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
    arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
    // Retries are ours, and gRPC's abort the process when an etcd that ends cuts an answer short
    // before its status (grpc/grpc issue 34683; Debian 12 has 1.51).
    arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
    arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // a connection of our own
    arguments.SetMaxReceiveMessageSize(-1);
    return std::make_shared<GrpcChannel>(
        grpc::CreateCustomChannel(endpoint, credentials_, arguments));
  }

 private:
  // gRPC does its work on threads that wait for a call, whosever. Between calls connections would
  // not get made: this thread waits for what never comes.
  void poll() {
    void* tag = nullptr;
    bool ok = false;
    while (idle_.Next(&tag, &ok)) {
    }
  }

  const std::shared_ptr<grpc::ChannelCredentials> credentials_;
  grpc::CompletionQueue idle_;
  const os::Thread poller_;
};

Result<std::string> read_pem(const std::string& path) {
  if (path.empty()) return std::string();
  const auto file = TRY(os::real_file_system().open(path, os::OpenMode::kRead));
  const uint64_t size = TRY(file->size());
  if (size > kPemBytesMax) return Error(Code::kInvalid, path + " is no PEM file: it is too large");
  std::string text(size, '\0');
  text.resize(TRY(file->read_at(0, as_writable_bytes(text))));
  return text;
}

// What gRPC has to say goes where our own words go.
void log_through_ours() {
  gpr_set_log_function([](gpr_log_func_args* args) { spdlog::debug("gRPC: {}", args->message); });
}

}  // namespace

Result<std::unique_ptr<Dialer>> make_dialer(const std::optional<TlsFiles>& tls) {
  log_through_ours();
  if (!tls) return std::unique_ptr<Dialer>(new GrpcDialer(grpc::InsecureChannelCredentials()));
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = TRY(read_pem(tls->ca_file));
  options.pem_cert_chain = TRY(read_pem(tls->certificate_file));
  options.pem_private_key = TRY(read_pem(tls->key_file));
  return std::unique_ptr<Dialer>(new GrpcDialer(grpc::SslCredentials(options)));
}

}  // namespace nacre::etcd
