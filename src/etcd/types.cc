#include "etcd/types.h"

namespace nacre::etcd {

KeyRange KeyRange::prefix(std::string_view prefix) {
  const std::string no_bound(1, '\0');
  if (prefix.empty()) return {no_bound, no_bound};
  std::string upper(prefix);
  while (!upper.empty() && upper.back() == '\xff') upper.pop_back();
  if (upper.empty()) return {std::string(prefix), no_bound};
  upper.back() = static_cast<char>(static_cast<unsigned char>(upper.back()) + 1);
  return {std::string(prefix), std::move(upper)};
}

Compare version_is(std::string key, Relation relation, uint64_t version) {
  return {std::move(key), Compare::Target::kVersion, relation, version};
}

Compare absent(std::string key) { return version_is(std::move(key), Relation::kEqual, 0); }

Compare present(std::string key) { return version_is(std::move(key), Relation::kGreater, 0); }

Compare created_is(std::string key, Relation relation, Revision revision) {
  return {std::move(key), Compare::Target::kCreated, relation, revision.value};
}

Compare modified_is(std::string key, Relation relation, Revision revision) {
  return {std::move(key), Compare::Target::kModified, relation, revision.value};
}

Compare value_is(std::string key, Relation relation, std::string value) {
  return {std::move(key), Compare::Target::kValue, relation, 0, std::move(value)};
}

}  // namespace nacre::etcd
