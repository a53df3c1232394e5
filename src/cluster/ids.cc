#include "cluster/ids.h"

#include <charconv>
#include <string>

namespace nacre::cluster {

Result<Id128<struct AnyTag>> parse_hex_id(std::string_view text) {
  const Error wrong(Code::kInvalid,
                    "'" + std::string(text) + "' is no id: those have 32 hexadecimal digits");
  if (text.size() != 32) return wrong;
  Id128<struct AnyTag> id;
  for (const bool upper : {true, false}) {
    const std::string_view half = upper ? text.substr(0, 16) : text.substr(16);
    uint64_t& into = upper ? id.high : id.low;
    const auto parsed = std::from_chars(half.data(), half.data() + half.size(), into, 16);
    if (parsed.ec != std::errc{} || parsed.ptr != half.data() + half.size()) return wrong;
  }
  if (id.is_zero()) return wrong;
  return id;
}

}  // namespace nacre::cluster
