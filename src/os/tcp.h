// TCP: addresses, connections and listeners, over IPv4 and IPv6. What comes and goes is a
// ByteStream.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "os/byte_stream.h"
#include "os/fd.h"

namespace nacre::os {

struct Address {
  std::string host;  // a name or a number; IPv6 without brackets
  uint16_t port = 0;
  friend bool operator==(const Address&, const Address&) = default;

  // "host:port", an IPv6 host in brackets.
  std::string to_string() const;
};

// "HOST:PORT" or "[IPV6]:PORT". kInvalid says what is wrong.
Result<Address> parse_address(std::string_view text);
// Whether the host is a number, of IPv4 or IPv6, and no name.
bool is_number(const std::string& host);
// Whether every number the host stands for is of the loopback network. A name that is not known is
// not.
bool is_loopback(const Address& address);

// kUnavailable when nobody listens there or the name is not known; kTimeout.
Result<std::unique_ptr<ByteStream>> connect_tcp(const Address& address, int64_t timeout_ns);

// A socket that listens, for a library that accepts by itself. Port 0 is one that is free. kBusy
// when the port is taken; kInvalid when the host is not an address of this machine.
Result<Fd> listen_tcp(const Address& address);
// Where such a socket listens.
uint16_t port_of(const Fd& socket);

class TcpListener {
 public:
  // Errors are those of listen_tcp().
  static Result<std::unique_ptr<TcpListener>> listen(const Address& address);
  ~TcpListener() { close(); }
  TcpListener(const TcpListener&) = delete;
  TcpListener& operator=(const TcpListener&) = delete;

  uint16_t port() const { return port_; }
  // Waits for the next connection; null once close() was called. After an error (out of
  // descriptors, say) it may be called again.
  Result<std::unique_ptr<ByteStream>> accept();
  // Ends accept() for good. From any thread; idempotent.
  void close();

 private:
  TcpListener(Fd socket, uint16_t port) : socket_(std::move(socket)), port_(port) {}

  const Fd socket_;
  const uint16_t port_;
  std::atomic<bool> closed_ = false;
};

}  // namespace nacre::os
