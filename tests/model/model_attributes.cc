// Attributes, plain and extended.
#include "model/model.h"

namespace nacre::model {

namespace {

constexpr uint32_t kSetuid = 04000;
constexpr uint32_t kSetgid = 02000;
constexpr uint32_t kGroupExecute = 010;
constexpr int64_t kDayNs = int64_t{24} * 3600 * 1'000'000'000;

}  // namespace

void Model::touch_atime(NodeId id) {
  const Node& node = state_.at(id);
  const bool due =
      node.atime <= node.mtime || node.atime <= node.ctime || now_.ns - node.atime.ns >= kDayNs;
  if (due) state_.change(id).atime = now_;
}

void Model::touch_atime(const std::string& path) {
  if (!path.starts_with('~')) touch_atime(*find(path));
}

Status Model::set_attributes(const Operation& operation) {
  const NodeId id = TRY(changeable(operation.path));
  Node& node = state_.change(id);
  node.ctime = now_;
  switch (operation.kind) {
    case Kind::kChmod:
      node.mode = static_cast<uint32_t>(operation.value) & 07777;
      break;
    case Kind::kChown:
      node.uid = static_cast<uint32_t>(operation.value);
      node.gid = static_cast<uint32_t>(operation.extra);
      if (node.is_directory()) break;
      node.mode &= ~kSetuid;
      if (node.mode & kGroupExecute) node.mode &= ~kSetgid;
      break;
    default:
      // 0 leaves a time as it is, 1 is now.
      if (operation.value != 0) {
        node.atime = operation.value == 1 ? now_ : Timestamp{static_cast<int64_t>(operation.value)};
      }
      if (operation.extra != 0) {
        node.mtime = operation.extra == 1 ? now_ : Timestamp{static_cast<int64_t>(operation.extra)};
      }
  }
  return {};
}

Status Model::set_xattr(const Operation& operation) {
  const NodeId id = TRY(changeable(operation.path));
  if (operation.to.size() > meta::kMaxXattrNameBytes) return Code::kOutOfRange;
  if (operation.length > meta::kMaxXattrValueBytes) return Code::kOutOfRange;
  const bool exists = state_.at(id).xattrs.contains(operation.to);
  if (operation.kind == Kind::kCreateXattr && exists) return Code::kExists;
  if (operation.kind == Kind::kReplaceXattr && !exists) return Code::kNoData;
  Node& node = state_.change(id);
  node.xattrs[operation.to] = bytes_of(operation.value, operation.length);
  node.ctime = now_;
  return {};
}

Status Model::remove_xattr(const Operation& operation) {
  const NodeId id = TRY(changeable(operation.path));
  if (!state_.at(id).xattrs.contains(operation.to)) return Code::kNoData;
  Node& node = state_.change(id);
  node.xattrs.erase(operation.to);
  node.ctime = now_;
  return {};
}

Result<std::string> Model::run_attributes(const Operation& operation) {
  switch (operation.kind) {
    case Kind::kStat: {
      Aspects aspects = rules_.aspects;
      if (operation.path.starts_with('~')) aspects.atime = false;
      return describe(attr_of(*TRY(readable(operation.path))), aspects);
    }
    case Kind::kReadlink: {
      const Node& node = *TRY(readable(operation.path));
      if (node.type != meta::FileType::kSymlink) return Code::kInvalid;
      const std::string target = node.target;
      touch_atime(operation.path);
      return target;
    }
    case Kind::kSetXattr:
    case Kind::kCreateXattr:
    case Kind::kReplaceXattr:
      TRY(set_xattr(operation));
      return std::string();
    case Kind::kGetXattr: {
      const Node& node = *TRY(readable(operation.path));
      const auto found = node.xattrs.find(operation.to);
      if (found == node.xattrs.end()) return Code::kNoData;
      return answer_of_bytes(found->second);
    }
    case Kind::kRemoveXattr:
      TRY(remove_xattr(operation));
      return std::string();
    case Kind::kListXattrs: {
      std::string names;
      for (const auto& [name, value] : TRY(readable(operation.path))->xattrs) names += name + " ";
      return names;
    }
    default:
      TRY(set_attributes(operation));
      return std::string();
  }
}

}  // namespace nacre::model
