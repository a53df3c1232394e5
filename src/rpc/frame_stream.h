// Frames over a stream of bytes, in one direction each: a reader for one thread, and an outbox for
// many.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "os/byte_stream.h"
#include "os/clock.h"
#include "os/mutex.h"
#include "os/thread.h"
#include "rpc/message.h"
#include "wire/frame_layout.h"

namespace nacre::rpc {

struct IncomingFrame {
  wire::Frame frame = {};
  std::string header = {};
  Buffer payload = {};
  bool is_intact = true;  // whether the payload matches its checksum
};

// For one thread. A payload goes from the stream to the buffer it is given out in.
class FrameReader {
 public:
  // A peer that stops for `patience_ns` in the middle of a frame is given up.
  FrameReader(os::ByteStream& stream, os::Clock& clock, int64_t patience_ns)
      : stream_(stream), clock_(clock), patience_ns_(patience_ns), buffer_(64 * 1024) {}

  // kTimeout between two frames when none came within the stream's read timeout: call again.
  // kUnavailable when the stream ended or broke; kCorrupt when what came is no frame or its header
  // does not match its checksum. After these nothing more can be read. A payload that does not
  // match leaves it known where the next frame begins.
  Result<IncomingFrame> next();
  // Whether more has come already.
  bool has_more() const { return end_ > begin_; }

 private:
  Status fill(size_t wanted);
  Status read_into(MutableBytes into);
  Result<size_t> read_patiently(MutableBytes into, bool may_time_out);

  os::ByteStream& stream_;
  os::Clock& clock_;
  const int64_t patience_ns_;
  std::vector<std::byte> buffer_;
  size_t begin_ = 0;
  size_t end_ = 0;
};

// Any thread may send; frames go out whole and in order. A small frame goes at once when nobody
// else writes and the peer takes it; else a thread of the outbox writes, many frames at a time, so
// that senders never wait for the peer.
class Outbox {
 public:
  explicit Outbox(os::ByteStream& stream);
  // close(), and waits for its thread: the stream must have been shut down, or the peer may hold it
  // up.
  ~Outbox();

  // False when the outbox is closed, or the stream broke. Sets the lengths and checksums of
  // `frame`.
  bool send(wire::Frame frame, std::string header, Payload payload);
  // Takes no more; what is queued is dropped.
  void close();
  // Waits, for at most `limit_ns`, until everything sent is on the wire. Whether it is.
  bool drain(int64_t limit_ns);
  // Bytes that wait to be written.
  size_t queued_bytes();

 private:
  struct Item {
    std::array<std::byte, wire::kFrameFixedBytes> fixed;
    std::string header;
    Payload payload;
    size_t size() const { return fixed.size() + header.size() + payload.size(); }
  };

  Status write(std::deque<Item>& items);
  void run();

  os::ByteStream& stream_;
  os::Mutex mutex_;  // a leaf; not held while writing
  os::CondVar changed_;
  std::deque<Item> queue_ GUARDED_BY(mutex_);
  size_t queued_bytes_ GUARDED_BY(mutex_) = 0;
  bool writing_ GUARDED_BY(mutex_) = false;  // whoever sets it has the stream to himself
  bool closed_ GUARDED_BY(mutex_) = false;
  os::Thread writer_;
};

}  // namespace nacre::rpc
