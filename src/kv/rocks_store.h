// A Store on disk, over RocksDB: one column family for each family, one write-ahead log for all.
//
// Errors. kNoSpace: the disk is full; writes are refused until there is room again, then go on. A
// reserve of about five eighths of the memory budget, 61 MiB at the most, is kept on the disk, so
// that nothing else is refused. kCorrupt: stored bytes fail their checksum; the context names the
// file. After kIo or kCorrupt from a write the store refuses writes until it is opened again; reads
// go on.
//
// After a power cut the store holds the first n of the batches written, for some n that counts
// every synced one. A rotten record near the end of the log cannot be told from one torn by a power
// cut, and ends the log; anywhere else rot is kCorrupt.
#pragma once

#include <memory>
#include <string>

#include "base/units.h"
#include "kv/store.h"
#include "os/file_system.h"

namespace nacre::kv {

class RocksDatabase;

struct RocksOptions {
  uint64_t memory_bytes = 96 * kMiB;  // write buffers, cached blocks and indexes together
  bool create = false;                // make the store if there is none
  bool read_only = false;             // nothing on disk changes; writes are kReadOnly
};

class RocksStore final : public Store {
 public:
  // The store in the directory `path` of `disk`, which must outlive it. kNotFound: there is none
  // and `create` is not set. kBusy: it is open already. kCorrupt: it is damaged.
  static Result<std::unique_ptr<RocksStore>> open(os::FileSystem& disk, const std::string& path,
                                                  const RocksOptions& options);
  // Makes earlier writes durable and leaves little for the next open to replay. Whoever must know
  // that it worked calls sync() before.
  ~RocksStore() override;

  Result<std::optional<std::string>> get(Family family, std::string_view key,
                                         const Snapshot* at = nullptr) override;
  std::unique_ptr<Iterator> iterate(Family family, Range range,
                                    const Snapshot* at = nullptr) override;
  std::unique_ptr<Snapshot> snapshot() override;
  Status write(const Batch& batch, Durability durability) override;
  Status sync() override;
  // disk_bytes counts tables, logs and the reserve.
  Result<Usage> usage() override;
  Status compact(Family family, Range range) override;
  // Reads every table from the disk as a whole. Rows that are only in the log are not read.
  Status verify(std::vector<std::string>& corrupt) override;

 private:
  explicit RocksStore(std::unique_ptr<RocksDatabase> database);

  const std::unique_ptr<RocksDatabase> database_;
};

}  // namespace nacre::kv
