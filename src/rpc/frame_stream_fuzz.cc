// Frames as a peer nobody trusts would send them, cut anywhere: the reader ends with an error and
// gives out only what was sent whole.
#include <cstdlib>

#include "codec/checksum.h"
#include "os/memory_stream.h"
#include "rpc/frame_stream.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace nacre;
  auto [there, here] = os::make_memory_streams(size + 1);
  const ByteView bytes = std::as_bytes(std::span(data, size));
  if (!there->write_all({&bytes, 1}).ok()) std::abort();
  there->shutdown();
  rpc::FrameReader reader(*here, os::real_clock(), 1);
  for (;;) {
    const auto incoming = reader.next();
    if (!incoming.ok()) return 0;
    if (incoming->payload.size() != incoming->frame.payload_bytes) std::abort();
    if (!incoming->payload.empty() &&
        codec::xxh64(incoming->payload.view()) != incoming->frame.payload_xxh64) {
      std::abort();
    }
  }
}
