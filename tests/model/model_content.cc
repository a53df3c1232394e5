// The bytes of files.
#include <fmt/format.h>

#include <algorithm>

#include "model/model.h"

namespace nacre::model {

namespace {

constexpr uint32_t kSetuid = 04000;
constexpr uint32_t kSetgid = 02000;
constexpr uint32_t kGroupExecute = 010;

void kill_privileges(Node& node) {
  node.mode &= ~kSetuid;
  if (node.mode & kGroupExecute) node.mode &= ~kSetgid;
}

bool is_out_of_range(uint64_t offset, uint64_t length) {
  return offset > meta::kMaxFileBytes || length > meta::kMaxFileBytes - offset;
}

}  // namespace

void Model::touch_content(Node& node) {
  node.mtime = node.ctime = now_;
  node.content_change = operations_;
}

Status Model::write(const Operation& operation) {
  const NodeId id = TRY(changeable(operation.path));
  if (is_out_of_range(operation.offset, operation.length)) return Code::kTooBig;
  if (!state_.at(id).is_regular()) return Code::kInvalid;
  if (operation.length == 0) return {};
  Node& node = state_.change(id);
  node.content.write(operation.offset, bytes_of(operation.value, operation.length));
  const Timestamp mtime = node.mtime;
  const Timestamp ctime = node.ctime;
  touch_content(node);
  if (operation.kind == Kind::kWriteCached) {
    node.mtime = mtime;
    node.ctime = ctime;
  }
  if (operation.kind == Kind::kWriteKilling) kill_privileges(node);
  return {};
}

Status Model::truncate(const Operation& operation) {
  const NodeId id = TRY(changeable(operation.path));
  if (operation.length > meta::kMaxFileBytes) return Code::kTooBig;
  if (state_.at(id).is_directory()) return Code::kIsDirectory;
  if (!state_.at(id).is_regular()) return Code::kInvalid;
  Node& node = state_.change(id);
  node.content.resize(operation.length);
  touch_content(node);
  return {};
}

Status Model::allocate(const Operation& operation) {
  const NodeId id = TRY(changeable(operation.path));
  if (operation.length == 0) return Code::kInvalid;
  if (is_out_of_range(operation.offset, operation.length)) return Code::kTooBig;
  if (!state_.at(id).is_regular()) return Code::kInvalid;
  Node& node = state_.change(id);
  Content& content = node.content;
  const uint64_t end = operation.offset + operation.length;
  switch (operation.kind) {
    case Kind::kPunch:
      content.punch(operation.offset, operation.length);
      break;
    case Kind::kZero:
    case Kind::kZeroKeep:
      content.zero(operation.offset, operation.length);
      break;
    default:
      content.allocate(operation.offset, operation.length);
  }
  const bool grows = operation.kind == Kind::kAllocate || operation.kind == Kind::kZero;
  if (grows && end > content.size()) content.resize(end);
  touch_content(node);
  return {};
}

Result<std::string> Model::copy(const Operation& operation) {
  const Node& source = *TRY(readable(operation.path));
  const NodeId to = TRY(changeable(operation.to));
  if (!source.is_regular()) return Code::kInvalid;
  if (operation.offset >= source.size() || operation.length == 0) return std::string("0");
  const uint64_t length = std::min(operation.length, source.size() - operation.offset);
  if (!state_.at(to).is_regular()) return Code::kInvalid;
  if (is_out_of_range(operation.extra, length)) return Code::kTooBig;
  const bool same = operation.path[0] != '~' && *find(operation.path) == to;
  const bool overlaps =
      operation.extra < operation.offset + length && operation.offset < operation.extra + length;
  if (rules_.kernel && same && overlaps) return Code::kInvalid;
  const Content content = source.content;
  Node& node = state_.change(to);
  node.content.copy(content, operation.offset, operation.extra, length);
  touch_content(node);
  if (rules_.copy_kills_privileges) kill_privileges(node);
  return std::to_string(length);
}

Status Model::restore(const Operation& operation) {
  const Node& source = *TRY(readable(operation.path));
  Node& node = state_.change(TRY(changeable(operation.to)));
  node.content = source.content;
  touch_content(node);
  return {};
}

Result<std::string> Model::read(const Operation& operation) {
  const Node& node = *TRY(readable(operation.path));
  if (node.is_directory()) return Code::kIsDirectory;
  if (!node.is_regular()) return Code::kInvalid;
  const std::string answer = answer_of_bytes(node.content.read(operation.offset, operation.length));
  touch_atime(operation.path);
  return answer;
}

Result<std::string> Model::seek(const Operation& operation) const {
  const Node& node = *TRY(readable(operation.path));
  if (!node.is_regular()) return Code::kInvalid;
  const uint64_t size = node.size();
  if (operation.offset >= size) return Code::kNoData;
  const bool data = operation.kind == Kind::kSeekData;
  const auto found = node.content.seek(operation.offset, data);
  if (!found && data) return Code::kNoData;
  return std::to_string(found.value_or(size));
}

Result<std::string> Model::run_content(const Operation& operation) {
  switch (operation.kind) {
    case Kind::kWrite:
    case Kind::kWriteCached:
    case Kind::kWriteDurable:
    case Kind::kWriteKilling:
      TRY(write(operation));
      return std::string();
    case Kind::kRead:
      return read(operation);
    case Kind::kTruncate:
      TRY(truncate(operation));
      return std::string();
    case Kind::kSeekData:
    case Kind::kSeekHole:
      return seek(operation);
    case Kind::kRestore:
      TRY(restore(operation));
      return std::string();
    case Kind::kCopy:
      return copy(operation);
    default:
      TRY(allocate(operation));
      return std::string();
  }
}

}  // namespace nacre::model
