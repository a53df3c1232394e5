// Blocks on the devices of one machine, each whole on one device: the emptiest when it is put.
//
// Thread-safe. Owns its devices; close() leaves them clean.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "block/store.h"
#include "codec/compress.h"
#include "device/device.h"

namespace nacre::block {

class LocalStore final : public Store {
 public:
  // At least one device.
  LocalStore(std::vector<std::unique_ptr<device::Device>> devices, codec::Compression compression);

  Status put(BlockId id, std::span<const ByteView> parts) override;
  Status sync() override;
  Status read(BlockId id, uint64_t offset, MutableBytes into) override;
  void prefetch(BlockId, uint64_t, uint64_t) override {}
  Status remove(BlockId id) override;
  Result<BlockInfo> info(BlockId id) override;
  Status list(const std::function<bool(BlockId, const BlockInfo&)>& visit) override;
  Space space() override;
  Result<uint64_t> clean(uint64_t bytes) override;

  Status close();
  const std::vector<std::unique_ptr<device::Device>>& devices() const { return devices_; }

 private:
  // The device that has the block; kNotFound.
  Result<device::Fragment> find(BlockId id);
  std::vector<device::Device*> emptiest_first();
  Status read_units(const device::Fragment& fragment, const device::Descriptor& descriptor,
                    uint64_t offset, MutableBytes into);

  std::vector<std::unique_ptr<device::Device>> devices_;
  const codec::Compression compression_;
};

}  // namespace nacre::block
