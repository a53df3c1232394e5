#include "os/tcp.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include "base/errno.h"
#include "base/units.h"

namespace nacre::os {
namespace {

constexpr int kBacklog = 512;
constexpr size_t kPartsMax = 64;         // of one system call
constexpr int kUnackedLimitMs = 20'000;  // a peer silent for longer is gone

using AddressList = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

Result<AddressList> resolve(const Address& address, int flags) {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(address.port);
  const int failure = ::getaddrinfo(address.host.c_str(), port.c_str(), &hints, &found);
  if (failure != 0) {
    return Error(Code::kUnavailable,
                 "host " + address.host + " is not known: " + ::gai_strerror(failure));
  }
  return AddressList(found, &::freeaddrinfo);
}

void set_option(int socket, int level, int name, int value) {
  // Each only makes things better: a kernel without it does as well.
  (void)::setsockopt(socket, level, name, &value, sizeof(value));
}

class TcpStream final : public ByteStream {
 public:
  TcpStream(Fd fd, std::string peer) : fd_(std::move(fd)), peer_(std::move(peer)) {
    set_option(fd_.get(), IPPROTO_TCP, TCP_NODELAY, 1);
    set_option(fd_.get(), IPPROTO_TCP, TCP_USER_TIMEOUT, kUnackedLimitMs);
  }

  Result<size_t> read_some(MutableBytes into) override {
    const ssize_t n =
        retry_interrupted([&] { return ::recv(fd_.get(), into.data(), into.size(), 0); });
    if (n >= 0) return static_cast<size_t>(n);
    if (errno == EAGAIN || errno == EWOULDBLOCK) return Error(Code::kTimeout, "read from " + peer_);
    return error_from_errno(errno, "read from " + peer_);
  }

  Status write_all(std::span<const ByteView> parts) override {
    std::array<iovec, kPartsMax> vectors;
    size_t skip = 0;  // of the first part
    while (!parts.empty()) {
      if (skip == parts.front().size()) {
        parts = parts.subspan(1);
        skip = 0;
        continue;
      }
      const size_t count = std::min(parts.size(), kPartsMax);
      for (size_t i = 0; i < count; ++i) {
        const ByteView part = i == 0 ? parts[i].subspan(skip) : parts[i];
        vectors[i] = {const_cast<std::byte*>(part.data()), part.size()};
      }
      size_t sent = TRY(send({vectors.data(), count}));
      while (sent > 0) {
        const size_t left = parts.front().size() - skip;
        const size_t step = std::min(sent, left);
        sent -= step;
        skip += step;
        if (skip < parts.front().size()) break;
        parts = parts.subspan(1);
        skip = 0;
        if (parts.empty()) break;
      }
    }
    return {};
  }

  bool can_write() override {
    pollfd poll = {.fd = fd_.get(), .events = POLLOUT, .revents = 0};
    return ::poll(&poll, 1, 0) == 1 && (poll.revents & POLLOUT) != 0;
  }

  void set_read_timeout(int64_t ns) override {
    const timeval limit = {.tv_sec = ns / 1'000'000'000, .tv_usec = ns / 1000 % 1'000'000};
    (void)::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  }

  void shutdown() override { ::shutdown(fd_.get(), SHUT_RDWR); }
  const std::string& peer() const override { return peer_; }

 private:
  Result<size_t> send(std::span<iovec> vectors) {
    msghdr message = {};
    message.msg_iov = vectors.data();
    message.msg_iovlen = vectors.size();
    const ssize_t n =
        retry_interrupted([&] { return ::sendmsg(fd_.get(), &message, MSG_NOSIGNAL); });
    if (n < 0) return error_from_errno(errno, "write to " + peer_);
    return static_cast<size_t>(n);
  }

  const Fd fd_;
  const std::string peer_;
};

std::unique_ptr<ByteStream> make_stream(Fd fd, std::string peer) {
  return std::make_unique<TcpStream>(std::move(fd), std::move(peer));
}

std::string name_of_peer(const sockaddr* address, socklen_t length) {
  std::array<char, NI_MAXHOST> host = {};
  std::array<char, NI_MAXSERV> port = {};
  if (::getnameinfo(address, length, host.data(), host.size(), port.data(), port.size(),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return "a peer of unknown address";
  }
  const std::string text = host.data();
  return (text.contains(':') ? "[" + text + "]" : text) + ":" + port.data();
}

Status wait_connected(int socket, const Address& address, int64_t timeout_ns) {
  pollfd poll = {.fd = socket, .events = POLLOUT, .revents = 0};
  const int limit_ms = static_cast<int>(std::clamp<int64_t>(timeout_ns / 1'000'000, 1, 3'600'000));
  const int ready = retry_interrupted([&] { return ::poll(&poll, 1, limit_ms); });
  if (ready == 0) return Error(Code::kTimeout, "connect to " + address.to_string());
  int failure = 0;
  socklen_t length = sizeof(failure);
  if (ready < 0 || ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &failure, &length) != 0) {
    failure = errno;
  }
  if (failure != 0) return error_from_errno(failure, "connect to " + address.to_string());
  return {};
}

Result<Fd> connect_one(const addrinfo& to, const Address& address, int64_t timeout_ns) {
  Fd fd(::socket(to.ai_family, to.ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, to.ai_protocol));
  if (!fd.valid()) return error_from_errno(errno, "make a socket");
  if (::connect(fd.get(), to.ai_addr, to.ai_addrlen) != 0) {
    if (errno != EINPROGRESS) return error_from_errno(errno, "connect to " + address.to_string());
    TRY(wait_connected(fd.get(), address, timeout_ns));
  }
  const int flags = ::fcntl(fd.get(), F_GETFL);
  if (flags < 0 || ::fcntl(fd.get(), F_SETFL, flags & ~O_NONBLOCK) != 0) {
    return error_from_errno(errno, "set up a socket");
  }
  return fd;
}

}  // namespace

std::string Address::to_string() const {
  const bool six = host.contains(':');
  return (six ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<Address> parse_address(std::string_view text) {
  const auto wrong = [&](const char* what) {
    return Error(Code::kInvalid, "address '" + std::string(text) + "': " + what);
  };
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return wrong("it has no port; give HOST:PORT");
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.contains(':')) {
    return wrong("put an IPv6 host into brackets: [HOST]:PORT");
  }
  if (host.empty()) return wrong("it has no host; give HOST:PORT");
  if (host.size() > 253) return wrong("its host is too long");
  Address address{.host = std::string(host)};
  const auto parsed = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (port.empty() || parsed.ec != std::errc{} || parsed.ptr != port.data() + port.size()) {
    return wrong("its port is not a number from 0 to 65535");
  }
  return address;
}

bool is_number(const std::string& host) {
  std::array<unsigned char, 16> number;
  return ::inet_pton(AF_INET, host.c_str(), number.data()) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), number.data()) == 1;
}

bool is_loopback(const Address& address) {
  const auto found = resolve(address, 0);
  if (!found.ok()) return false;
  for (const addrinfo* each = found->get(); each != nullptr; each = each->ai_next) {
    if (each->ai_family == AF_INET) {
      const auto& four = *reinterpret_cast<const sockaddr_in*>(each->ai_addr);
      if (ntohl(four.sin_addr.s_addr) >> 24 != 127) return false;
    } else {
      const auto& six = *reinterpret_cast<const sockaddr_in6*>(each->ai_addr);
      if (!IN6_IS_ADDR_LOOPBACK(&six.sin6_addr)) return false;
    }
  }
  return true;
}

Result<std::unique_ptr<ByteStream>> connect_tcp(const Address& address, int64_t timeout_ns) {
  const AddressList found = TRY(resolve(address, 0));
  Error last(Code::kUnavailable, "host " + address.host + " has no address");
  for (const addrinfo* each = found.get(); each != nullptr; each = each->ai_next) {
    Result<Fd> fd = connect_one(*each, address, timeout_ns);
    if (fd.ok()) return make_stream(fd.take(), address.to_string());
    last = fd.error();
  }
  return last;
}

uint16_t port_of(const Fd& socket) {
  sockaddr_storage bound = {};
  socklen_t length = sizeof(bound);
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&bound), &length) != 0) return 0;
  if (bound.ss_family == AF_INET6) return ntohs(reinterpret_cast<sockaddr_in6&>(bound).sin6_port);
  return ntohs(reinterpret_cast<sockaddr_in&>(bound).sin_port);
}

Result<Fd> listen_tcp(const Address& address) {
  const AddressList found = TRY(resolve(address, AI_PASSIVE));
  const addrinfo& at = *found;
  Fd fd(::socket(at.ai_family, at.ai_socktype | SOCK_CLOEXEC, at.ai_protocol));
  if (!fd.valid()) return error_from_errno(errno, "make a socket");
  set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  const std::string where = "listen at " + address.to_string();
  if (::bind(fd.get(), at.ai_addr, at.ai_addrlen) != 0 || ::listen(fd.get(), kBacklog) != 0) {
    if (errno == EADDRINUSE) {
      return Error(Code::kBusy, where + ": another program has that port; give another one");
    }
    if (errno == EADDRNOTAVAIL) {
      return Error(Code::kInvalid, where + ": that is no address of this machine");
    }
    return error_from_errno(errno, where);
  }
  return fd;
}

Result<std::unique_ptr<TcpListener>> TcpListener::listen(const Address& address) {
  Fd fd = TRY(listen_tcp(address));
  const uint16_t port = port_of(fd);
  return std::unique_ptr<TcpListener>(new TcpListener(std::move(fd), port));
}

Result<std::unique_ptr<ByteStream>> TcpListener::accept() {
  sockaddr_storage from = {};
  socklen_t length = sizeof(from);
  auto* const generic = reinterpret_cast<sockaddr*>(&from);
  Fd fd(retry_interrupted([&] {
    length = sizeof(from);
    return ::accept4(socket_.get(), generic, &length, SOCK_CLOEXEC);
  }));
  if (closed_) return std::unique_ptr<ByteStream>();
  if (!fd.valid()) return error_from_errno(errno, "accept a connection");
  return make_stream(std::move(fd), name_of_peer(generic, length));
}

void TcpListener::close() {
  if (!closed_.exchange(true)) ::shutdown(socket_.get(), SHUT_RDWR);
}

}  // namespace nacre::os
