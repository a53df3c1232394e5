#include "kv/store.h"

namespace nacre::kv {

std::string prefix_end(std::string_view prefix) {
  constexpr char kLastByte = '\xff';
  const size_t last = prefix.find_last_not_of(kLastByte);
  if (last == std::string_view::npos) return {};
  std::string end(prefix.substr(0, last + 1));
  end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
  return end;
}

}  // namespace nacre::kv
