#include "wire/bucket_names.h"

#include <fmt/format.h>

#include <charconv>

#include "wire/checkpoint_layout.h"

namespace nacre::wire {
namespace {

constexpr std::string_view kManifestName = "manifest";
constexpr size_t kNumberDigits = 16;
constexpr size_t kShortDigits = 8;  // of an epoch or a generation
constexpr size_t kPartDigits = 6;

// Takes a name apart from its beginning. Once something is not there it fails for good.
class NameReader {
 public:
  explicit NameReader(std::string_view name) : rest_(name) {}

  // True, and taken, when the rest begins with it.
  bool take(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }
  void expect(std::string_view text) {
    if (!take(text)) fail();
  }
  // Just so many lower-case hexadecimal digits.
  uint64_t digits(size_t count) {
    const std::string_view text = rest_.substr(0, count);
    uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
    if (text.size() != count || error != std::errc() || end != text.data() + text.size() ||
        text.find_first_not_of("0123456789abcdef") != std::string_view::npos) {
      fail();
      return 0;
    }
    rest_.remove_prefix(count);
    return value;
  }
  void fail() { failed_ = true; }
  bool at_end() const { return !failed_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

void read_checkpoint(NameReader& in, ObjectName& name) {
  name.epoch = static_cast<uint32_t>(in.digits(kShortDigits));
  in.expect("/");
  name.number = in.digits(kNumberDigits);
  in.expect("/");
  if (in.take(kManifestName)) {
    name.kind = ObjectKind::kCheckpointManifest;
    return;
  }
  name.kind = ObjectKind::kCheckpointPart;
  name.part = static_cast<uint32_t>(in.digits(kPartDigits));
  if (name.part >= kMaxCheckpointParts) in.fail();
}

}  // namespace

std::string volume_object_name(uint32_t generation) {
  return fmt::format("{}{:08x}", kVolumeObjects, generation);
}
std::string pack_object_name(PackId pack) {
  return fmt::format("{}{}", kPackObjects, to_hex(pack));
}
std::string segment_object_name(uint32_t epoch, uint64_t segment) {
  return fmt::format("{}{:08x}/{:016x}", kSegmentObjects, epoch, segment);
}
std::string checkpoint_part_name(uint32_t epoch, uint64_t batch, uint32_t part) {
  return fmt::format("{}{:08x}/{:016x}/{:06x}", kCheckpointObjects, epoch, batch, part);
}
std::string checkpoint_manifest_name(uint32_t epoch, uint64_t batch) {
  return fmt::format("{}{:08x}/{:016x}/{}", kCheckpointObjects, epoch, batch, kManifestName);
}
std::string epoch_object_name(uint32_t epoch) {
  return fmt::format("{}{:08x}", kEpochObjects, epoch);
}

std::optional<ObjectName> parse_object_name(std::string_view text) {
  NameReader in(text);
  ObjectName name;
  if (in.take(kVolumeObjects)) {
    name.kind = ObjectKind::kVolume;
    name.number = in.digits(kShortDigits);
  } else if (in.take(kPackObjects)) {
    name.kind = ObjectKind::kPack;
    name.pack.high = in.digits(kNumberDigits);
    name.pack.low = in.digits(kNumberDigits);
  } else if (in.take(kSegmentObjects)) {
    name.kind = ObjectKind::kSegment;
    name.epoch = static_cast<uint32_t>(in.digits(kShortDigits));
    in.expect("/");
    name.number = in.digits(kNumberDigits);
  } else if (in.take(kCheckpointObjects)) {
    read_checkpoint(in, name);
  } else if (in.take(kEpochObjects)) {
    name.kind = ObjectKind::kEpoch;
    name.epoch = static_cast<uint32_t>(in.digits(kShortDigits));
  } else {
    return std::nullopt;
  }
  if (!in.at_end()) return std::nullopt;
  return name;
}

}  // namespace nacre::wire
