#include "rpc/frame_stream.h"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "base/units.h"
#include "codec/checksum.h"

namespace nacre::rpc {
namespace {

constexpr size_t kAtOnceBytes = 64 * kKiB;
constexpr size_t kBatchBytes = 8 * kMiB;

uint64_t sum_of(const Payload& payload) {
  if (payload.parts.size() == 1) return codec::xxh64(payload.parts.front());
  codec::Xxh64Stream sum;
  for (const ByteView part : payload.parts) sum.update(part);
  return sum.digest();
}

}  // namespace

Payload Payload::of(Buffer buffer) {
  if (buffer.empty()) return {};
  auto owner = std::make_shared<Buffer>(std::move(buffer));
  return {.parts = {owner->view()}, .owner = std::move(owner)};
}

size_t Payload::size() const {
  size_t sum = 0;
  for (const ByteView part : parts) sum += part.size();
  return sum;
}

Result<IncomingFrame> FrameReader::next() {
  TRY(fill(wire::kFrameFixedBytes));
  std::array<std::byte, wire::kFrameFixedBytes> fixed;
  std::memcpy(fixed.data(), buffer_.data() + begin_, fixed.size());
  begin_ += fixed.size();
  IncomingFrame incoming;
  incoming.frame = TRY(wire::decode_frame(fixed));
  incoming.header.resize(incoming.frame.header_bytes);
  TRY(read_into(as_writable_bytes(incoming.header)));
  TRY(wire::verify_frame(fixed, as_bytes(incoming.header)));
  if (incoming.frame.payload_bytes == 0) return incoming;
  incoming.payload = Buffer(incoming.frame.payload_bytes);
  TRY(read_into(incoming.payload.bytes()));
  incoming.is_intact = codec::xxh64(incoming.payload.view()) == incoming.frame.payload_xxh64;
  return incoming;
}

// Until `wanted` bytes, at most a frame's fixed part, are in the buffer.
Status FrameReader::fill(size_t wanted) {
  if (end_ - begin_ >= wanted) return {};
  std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
  while (end_ < wanted) {
    end_ += TRY(read_patiently(MutableBytes(buffer_).subspan(end_), end_ == 0));
  }
  return {};
}

Status FrameReader::read_into(MutableBytes into) {
  const size_t at_hand = std::min(into.size(), end_ - begin_);
  std::memcpy(into.data(), buffer_.data() + begin_, at_hand);
  begin_ += at_hand;
  into = into.subspan(at_hand);
  while (!into.empty()) {
    if (into.size() >= buffer_.size() / 2) {
      into = into.subspan(TRY(read_patiently(into, false)));
      continue;
    }
    // What follows comes along.
    begin_ = 0;
    end_ = 0;
    end_ = TRY(read_patiently(buffer_, false));
    const size_t step = std::min(into.size(), end_);
    std::memcpy(into.data(), buffer_.data(), step);
    begin_ = step;
    into = into.subspan(step);
  }
  return {};
}

Result<size_t> FrameReader::read_patiently(MutableBytes into, bool may_time_out) {
  const int64_t began_ns = clock_.monotonic_ns();
  for (;;) {
    Result<size_t> count = stream_.read_some(into);
    if (count.ok()) {
      if (*count == 0) return Error(Code::kUnavailable, stream_.peer() + " closed the connection");
      return count;
    }
    if (count.code() != Code::kTimeout || may_time_out) return count;
    if (clock_.monotonic_ns() - began_ns > patience_ns_) {
      return Error(Code::kUnavailable, stream_.peer() + " stopped in the middle of a frame");
    }
  }
}

Outbox::Outbox(os::ByteStream& stream) : stream_(stream), writer_("rpc-out", [this] { run(); }) {}

Outbox::~Outbox() {
  close();
  writer_.join();
}

bool Outbox::send(wire::Frame frame, std::string header, Payload payload) {
  frame.header_bytes = static_cast<uint32_t>(header.size());
  frame.payload_bytes = static_cast<uint32_t>(payload.size());
  if (frame.payload_bytes == 0) {
    frame.payload_xxh64 = 0;
  } else if (frame.payload_xxh64 == 0) {
    frame.payload_xxh64 = sum_of(payload);
  }
  Item item{.fixed = wire::encode_frame(frame, as_bytes(header)),
            .header = std::move(header),
            .payload = std::move(payload)};
  std::deque<Item> alone;
  {
    const os::Lock lock(mutex_);
    if (closed_) return false;
    const bool at_once =
        !writing_ && queue_.empty() && item.size() <= kAtOnceBytes && stream_.can_write();
    if (!at_once) {
      queued_bytes_ += item.size();
      queue_.push_back(std::move(item));
      changed_.notify_all();
      return true;
    }
    writing_ = true;
    alone.push_back(std::move(item));
  }
  const bool written = write(alone).ok();
  const os::Lock lock(mutex_);
  writing_ = false;
  if (!written) closed_ = true;
  if (!written || !queue_.empty()) changed_.notify_all();
  return written;
}

Status Outbox::write(std::deque<Item>& items) {
  std::vector<ByteView> parts;
  for (const Item& item : items) {
    parts.emplace_back(item.fixed);
    if (!item.header.empty()) parts.push_back(as_bytes(item.header));
    parts.insert(parts.end(), item.payload.parts.begin(), item.payload.parts.end());
  }
  Status written = stream_.write_all(parts);
  // The reader of the stream finds out, and says so to whoever waits for answers.
  if (!written.ok()) stream_.shutdown();
  return written;
}

void Outbox::run() {
  const os::Lock lock(mutex_);
  for (;;) {
    while (!closed_ && (queue_.empty() || writing_)) changed_.wait(mutex_);
    if (closed_) break;
    std::deque<Item> batch;
    size_t bytes = 0;
    while (!queue_.empty() && bytes < kBatchBytes) {
      bytes += queue_.front().size();
      batch.push_back(std::move(queue_.front()));
      queue_.pop_front();
    }
    writing_ = true;
    mutex_.unlock();
    const bool written = write(batch).ok();
    batch.clear();
    mutex_.lock();
    queued_bytes_ -= bytes;
    writing_ = false;
    if (!written) closed_ = true;
    changed_.notify_all();
  }
  queue_.clear();
  queued_bytes_ = 0;
  changed_.notify_all();
}

void Outbox::close() {
  const os::Lock lock(mutex_);
  closed_ = true;
  changed_.notify_all();
}

bool Outbox::drain(int64_t limit_ns) {
  const os::Lock lock(mutex_);
  while (!closed_ && (writing_ || !queue_.empty())) {
    if (!changed_.wait_for(mutex_, std::chrono::nanoseconds(limit_ns))) break;
  }
  return !closed_ && !writing_ && queue_.empty();
}

size_t Outbox::queued_bytes() {
  const os::Lock lock(mutex_);
  return queued_bytes_;
}

}  // namespace nacre::rpc
