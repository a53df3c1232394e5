// Blocks on the devices of this machine, each whole on one of them, and parts of blocks that are
// elsewhere: the store of an embedded volume. Thread-safe; no lock of its own is held during I/O.
//
// A new block goes to one of the emptiest devices, chosen at random by free space, so that
// parallel writers spread and devices fill evenly. Blocks that compress by at least an eighth are
// kept compressed. A device that fails while the store is open takes no more blocks; what it holds
// reads as kIo.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "block/part_store.h"
#include "block/store.h"
#include "codec/compress.h"
#include "device/device.h"
#include "os/random.h"

namespace nacre::block {

class LocalStore final : public Store, public PartStore {
 public:
  // Opens all devices of a volume. Fails when one is missing, damaged or of another volume, with
  // an error that names it: without it, some blocks would not be there.
  static Result<std::unique_ptr<LocalStore>> open(device::Host host,
                                                  const std::vector<std::string>& paths,
                                                  const device::OpenOptions& options,
                                                  codec::Compression compression);
  // Over devices already open; at least one. `random` outlives the store.
  LocalStore(std::vector<std::unique_ptr<device::Device>> devices, codec::Compression compression,
             os::Random& random = os::real_random());

  Status put(BlockId id, std::span<const ByteView> parts) override;
  Status sync() override;
  Status read(BlockId id, uint64_t offset, MutableBytes into) override;
  void prefetch(BlockId, uint64_t, uint64_t) override {}
  Status remove(BlockId id) override;
  Result<BlockInfo> info(BlockId id) override;
  Status list(const std::function<bool(BlockId, const BlockInfo&)>& visit) override;
  Space space() override;
  Result<uint64_t> clean(uint64_t bytes) override;

  Status put_part(BlockId id, uint32_t part, ByteView bytes) override;
  Status read_part(BlockId id, uint32_t part, uint64_t offset, MutableBytes into) override;
  Status remove_part(BlockId id, uint32_t part) override;
  void list_parts(const std::function<bool(BlockId, uint32_t, uint64_t)>& visit) override;

  // Syncs and leaves the devices so that opening them again is quick. Nothing may be called after.
  Status close();

  // For health, checks and status.
  const std::vector<std::unique_ptr<device::Device>>& devices() const { return devices_; }

 private:
  // Devices to try for a new block, the chosen one first.
  std::vector<device::Device*> placement(uint64_t bytes);
  device::Device* holder_of(BlockId id, uint16_t fragment);
  Status put_fragment(BlockId id, uint16_t fragment, std::span<const ByteView> parts);
  Status read_fragment(BlockId id, uint16_t fragment, uint64_t offset, MutableBytes into);
  Status remove_fragment(BlockId id, uint16_t fragment);

  const std::vector<std::unique_ptr<device::Device>> devices_;
  const codec::Compression compression_;
  os::Random& random_;
};

}  // namespace nacre::block
