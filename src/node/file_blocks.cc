#include "node/file_blocks.h"

#include "meta/extents.h"
#include "meta/types.h"
#include "wire/rows.h"

namespace nacre::node {
namespace {

Status visit_file(kv::Store& rows, const kv::Snapshot* at, InodeId ino,
                  const std::function<void(const BlockRange&)>& visit) {
  return meta::visit_extents(rows, at, ino, 0, INT64_MAX, [&](const meta::Extent& extent) {
    if (extent.row.kind == wire::ExtentKind::kBlock) {
      visit({extent.row.block, extent.row.block_offset, extent.row.length});
    }
    return true;
  });
}

}  // namespace

Status visit_blocks_below(kv::Store& rows, const kv::Snapshot* at, InodeId ino,
                          const std::function<void(const BlockRange&)>& visit) {
  TRY(visit_file(rows, at, ino, visit));
  std::vector<InodeId> directories{ino};
  while (!directories.empty()) {
    const InodeId directory = directories.back();
    directories.pop_back();
    const auto entries =
        rows.iterate(kv::Family::kLive, kv::prefix_range(wire::dentry_prefix(directory)), at);
    for (entries->seek_to_first(); entries->valid(); entries->next()) {
      const wire::DentryRow entry = TRY(wire::decode_dentry(entries->value()));
      const auto type = static_cast<meta::FileType>(entry.type);
      if (type == meta::FileType::kDirectory) directories.push_back(entry.ino);
      if (type == meta::FileType::kRegular) TRY(visit_file(rows, at, entry.ino, visit));
    }
    TRY(entries->status());
  }
  return {};
}

}  // namespace nacre::node
