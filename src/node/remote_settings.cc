#include "node/remote_settings.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

#include "base/units.h"
#include "node/json.h"
#include "node/volume_paths.h"

namespace nacre::node {
namespace {

constexpr uint64_t kFormat = 1;
constexpr uint64_t kMaxFileBytes = 64 * kKiB;

std::string hex_of(ByteView bytes) {
  std::string text;
  for (const std::byte byte : bytes) text += fmt::format("{:02x}", std::to_integer<int>(byte));
  return text;
}

Result<codec::SealKey> key_of(std::string_view hex) {
  std::array<std::byte, codec::SealKey::kBytes> bytes;
  const Error bad(Code::kCorrupt, "its key is none");
  if (hex.size() != 2 * bytes.size()) return bad;
  for (size_t i = 0; i < bytes.size(); ++i) {
    uint8_t byte = 0;
    const char* const at = hex.data() + 2 * i;
    const auto parsed = std::from_chars(at, at + 2, byte, 16);
    if (parsed.ec != std::errc() || parsed.ptr != at + 2) return bad;
    bytes[i] = std::byte{byte};
  }
  return codec::SealKey::from_bytes(bytes);
}

Json json_of(const RemoteSettings& settings) {
  return {{"format", kFormat},
          {"bucket", settings.bucket.to_string()},
          {"endpoint", settings.endpoint.to_string()},
          {"region", settings.region},
          {"virtual_hosted", settings.virtual_hosted},
          {"credentials_file", json_of_bytes(settings.credentials_file)},
          {"ca_file", json_of_bytes(settings.ca_file)},
          {"cache_bytes", settings.cache_bytes},
          {"compression", codec::name_of(settings.compression)},
          {"epoch", settings.epoch},
          {"key", settings.key ? hex_of(settings.key->bytes()) : ""},
          {"wait_while_away", settings.wait_while_away},
          {"sync_remote", settings.sync_remote}};
}

Result<std::string> path_of(Arguments& fields, std::string_view name) {
  std::string path = TRY(fields.text(name));
  if (path.empty() || path.front() == '/') return path;
  return Error(Code::kInvalid, fmt::format("{} is no absolute path", name));
}

Result<RemoteSettings> settings_of(const Json& json) {
  Arguments fields(json);
  const auto format = TRY(fields.optional_number("format"));
  if (format && *format > kFormat) {
    return Error(Code::kNewerFormat, "it was written by a later version of Nacre; use that one");
  }
  RemoteSettings settings;
  settings.bucket = TRY(bucket::parse_bucket_url(TRY(fields.text("bucket"))));
  settings.endpoint = TRY(bucket::parse_endpoint(TRY(fields.text("endpoint"))));
  settings.region = TRY(fields.text("region"));
  settings.virtual_hosted = TRY(fields.flag("virtual_hosted"));
  settings.credentials_file = TRY(path_of(fields, "credentials_file"));
  settings.ca_file = TRY(path_of(fields, "ca_file"));
  settings.cache_bytes = TRY(fields.optional_number("cache_bytes")).value_or(0);
  settings.compression = TRY(codec::parse_compression(TRY(fields.text("compression"))));
  const uint64_t epoch = TRY(fields.optional_number("epoch")).value_or(0);
  if (epoch == 0 || epoch > UINT32_MAX) return Error(Code::kInvalid, "its epoch is none");
  settings.epoch = static_cast<uint32_t>(epoch);
  const std::string key = TRY(fields.text("key"));
  if (!key.empty()) settings.key = TRY(key_of(key));
  settings.wait_while_away = TRY(fields.flag("wait_while_away"));
  settings.sync_remote = TRY(fields.flag("sync_remote"));
  TRY(fields.finish());
  if (!format || settings.cache_bytes < kLeastCacheBytes) {
    return Error(Code::kInvalid, "it lacks its format, or a cache size of at least " +
                                     format_size(kLeastCacheBytes));
  }
  return settings;
}

}  // namespace

Result<RemoteSettings> read_remote_settings(os::FileSystem& files, const std::string& directory) {
  const std::string path = remote_path(directory);
  const auto wrong = [&](const Error& error) {
    const Code code = error.code() == Code::kInvalid ? Code::kCorrupt : error.code();
    return Error(code, path + ": " + error.context());
  };
  auto file = files.open(path, os::OpenMode::kRead);
  if (!file.ok()) return wrong(file.error());
  const uint64_t size = TRY((*file)->size());
  if (size > kMaxFileBytes) return Error(Code::kCorrupt, path + " is too long");
  std::string text(size, '\0');
  text.resize(TRY((*file)->read_at(0, as_writable_bytes(text))));
  const auto json = parse_object(text);
  if (!json.ok()) return wrong(json.error());
  auto settings = settings_of(*json);
  if (!settings.ok()) return wrong(settings.error());
  return settings;
}

Status write_remote_settings(os::FileSystem& files, const std::string& directory,
                             const RemoteSettings& settings) {
  const std::string path = remote_path(directory);
  const std::string fresh = path + ".new";
  {
    const auto file = TRY(files.open(fresh, os::OpenMode::kCreate));
    TRY(file->truncate(0));
    TRY(file->write_at(0, as_bytes(to_line(json_of(settings)) + "\n")));
    TRY(file->sync());
  }
  TRY(files.rename(fresh, path));
  return files.sync_directory(directory);
}

}  // namespace nacre::node
