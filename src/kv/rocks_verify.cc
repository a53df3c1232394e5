#include <rocksdb/file_checksum.h>

#include "base/units.h"
#include "kv/rocks_database.h"
#include "kv/rocks_status.h"

namespace nacre::kv {
namespace {

constexpr size_t kReadBytes = 1 * kMiB;

// Keeps compaction from removing tables while they are read.
class KeepFiles {
 public:
  explicit KeepFiles(rocksdb::DB& db) : db_(db), kept_(db.DisableFileDeletions().ok()) {}
  ~KeepFiles() {
    if (kept_) db_.EnableFileDeletions(/*force=*/false).PermitUncheckedError();
  }
  KeepFiles(const KeepFiles&) = delete;
  KeepFiles& operator=(const KeepFiles&) = delete;

 private:
  rocksdb::DB& db_;
  const bool kept_;
};

Result<std::string> checksum_of(os::FileSystem& disk, const std::string& path) {
  const std::unique_ptr<os::File> file = TRY(disk.open(path, os::OpenMode::kRead));
  const auto generator =
      rocksdb::GetFileChecksumGenCrc32cFactory()->CreateFileChecksumGenerator({});
  std::string buffer(kReadBytes, '\0');
  for (uint64_t offset = 0;;) {
    const size_t count = TRY(file->read_at(offset, as_writable_bytes(buffer)));
    generator->Update(buffer.data(), count);
    offset += count;
    if (count < buffer.size()) break;
  }
  generator->Finalize();
  return generator->GetChecksum();
}

}  // namespace

Status RocksDatabase::verify(std::vector<std::string>& corrupt) {
  const KeepFiles keep(*db_);
  std::vector<rocksdb::LiveFileMetaData> tables;
  db_->GetLiveFilesMetaData(&tables);
  for (const rocksdb::LiveFileMetaData& table : tables) {
    const std::string path = table.db_path + table.name;
    const Result<std::string> checksum = checksum_of(disk_, path);
    const std::string whose = " (family " + table.column_family_name + ")";
    if (!checksum.ok()) {
      corrupt.push_back(path + whose + ": " + checksum.error().to_string());
    } else if (*checksum != table.file_checksum) {
      corrupt.push_back(path + whose + ": its bytes do not match its checksum");
    }
  }
  return {};
}

}  // namespace nacre::kv
