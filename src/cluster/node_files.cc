#include "cluster/node_files.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/errno.h"
#include "cluster/ids.h"
#include "node/json.h"

namespace nacre::cluster {
namespace {

using node::Json;

constexpr uint64_t kFormat = 1;
constexpr size_t kCopyBytes = 1 << 20;
constexpr uint64_t kMaxFileBytes = 1 << 20;
constexpr uint64_t kMaxGraceS = 365 * 24 * 60 * 60;

Status wipe_path(os::FileSystem& files, const std::string& path) {
  const os::PathKind kind = TRY(files.kind(path));
  if (kind == os::PathKind::kMissing) return {};
  if (kind != os::PathKind::kDirectory) return files.remove_file(path);
  for (const std::string& name : TRY(files.list(path))) TRY(wipe_path(files, path + "/" + name));
  return files.remove_directory(path);
}

Json json_of(const NodeConfig& config) {
  return {{"format", kFormat},
          {"node", to_hex(config.node)},
          {"cluster", to_hex(config.cluster)},
          {"name", node::json_of_bytes(config.name)},
          {"zone", node::json_of_bytes(config.zone)},
          {"listen", node::json_of_bytes(config.listen)},
          {"advertise", node::json_of_bytes(config.advertise)},
          {"metrics", node::json_of_bytes(config.metrics)},
          {"insecure", config.insecure},
          {"etcd", node::json_of_texts(config.etcd)},
          {"etcd_client_address", node::json_of_bytes(config.etcd_client_address)},
          {"etcd_peer_address", node::json_of_bytes(config.etcd_peer_address)},
          {"etcd_members", node::json_of_texts(config.etcd_members)},
          {"etcd_joins", config.etcd_joins},
          {"etcd_grace_s", config.etcd_grace_s},
          {"out_after_s", config.out_after_s},
          {"scrub_grace_s", config.scrub_grace_s},
          {"devices", node::json_of_texts(config.devices)},
          {"enrolled", node::json_of_texts(config.enrolled)},
          {"log_level", config.log.level},
          {"log_bytes", config.log.file_bytes},
          {"log_files", config.log.files}};
}

Result<NodeConfig> config_of(const Json& json) {
  node::Arguments fields(json);
  const auto format = TRY(fields.optional_number("format"));
  if (format && *format > kFormat) {
    return Error(Code::kNewerFormat, "it was written by a later version of Nacre");
  }
  NodeConfig config;
  config.node = TRY(parse_id<wire::NodeId>(TRY(fields.text("node"))));
  config.cluster = TRY(parse_id<wire::ClusterId>(TRY(fields.text("cluster"))));
  config.name = TRY(fields.text("name"));
  config.zone = TRY(fields.text("zone"));
  config.listen = TRY(fields.text("listen"));
  config.advertise = TRY(fields.text("advertise"));
  config.metrics = TRY(fields.optional_text("metrics")).value_or("");
  config.insecure = TRY(fields.flag("insecure"));
  config.etcd = TRY(fields.texts("etcd"));
  config.etcd_client_address = TRY(fields.text("etcd_client_address"));
  config.etcd_peer_address = TRY(fields.text("etcd_peer_address"));
  config.etcd_members = TRY(fields.texts("etcd_members"));
  config.etcd_joins = TRY(fields.flag("etcd_joins"));
  for (const auto& [name, grace_s] : {std::pair("etcd_grace_s", &config.etcd_grace_s),
                                      std::pair("out_after_s", &config.out_after_s),
                                      std::pair("scrub_grace_s", &config.scrub_grace_s)}) {
    const auto given = TRY(fields.optional_number(name));
    *grace_s = std::min(given.value_or(*grace_s), kMaxGraceS);
  }
  config.devices = TRY(fields.texts("devices"));
  config.enrolled = TRY(fields.texts("enrolled"));
  config.log.level = TRY(fields.optional_text("log_level")).value_or(config.log.level);
  config.log.file_bytes = TRY(fields.optional_number("log_bytes")).value_or(config.log.file_bytes);
  config.log.files = TRY(fields.optional_number("log_files")).value_or(config.log.files);
  TRY(fields.finish());
  if (const std::string fault = node::fault_of(config.log); !fault.empty()) {
    return Error(Code::kCorrupt, fault);
  }
  return config;
}

}  // namespace

Result<std::unique_ptr<os::FileLock>> NodeFiles::lock() {
  TRY(files_.create_directories(directory_));
  // Keys are kept here.
  if (::chmod(directory_.c_str(), 0700) != 0) {
    return error_from_errno(errno, "set the mode of " + directory_);
  }
  auto lock = files_.lock(path("lock"));
  if (!lock.ok() && lock.code() == Code::kBusy) {
    return Error(Code::kBusy, "the node in " + directory_ + " runs already");
  }
  return lock;
}

Result<std::string> NodeFiles::read(const std::string& name) {
  const auto file = TRY(files_.open(path(name), os::OpenMode::kRead));
  const uint64_t size = TRY(file->size());
  if (size > kMaxFileBytes) return Error(Code::kCorrupt, path(name) + " is too long to be ours");
  std::string text(size, '\0');
  text.resize(TRY(file->read_at(0, as_writable_bytes(text))));
  return text;
}

Status NodeFiles::write(const std::string& name, const std::string& text) {
  const std::string to = path(name);
  const std::string parent = to.substr(0, to.rfind('/'));
  TRY(files_.create_directories(parent));
  const std::string temporary = to + ".new";
  {
    const auto file = TRY(files_.open(temporary, os::OpenMode::kCreate));
    if (::chmod(temporary.c_str(), 0600) != 0) {
      return error_from_errno(errno, "set the mode of " + temporary);
    }
    TRY(file->truncate(0));
    TRY(file->write_at(0, as_bytes(text)));
    TRY(file->sync());
  }
  TRY(files_.rename(temporary, to));
  return files_.sync_directory(parent);
}

Result<std::optional<NodeConfig>> NodeFiles::config() {
  const auto text = read("node.json");
  if (!text.ok() && text.code() == Code::kNotFound) return std::optional<NodeConfig>();
  if (!text.ok()) return text.error();
  const auto wrong = [&](const Error& error) {
    const Code code = error.code() == Code::kNewerFormat ? error.code() : Code::kCorrupt;
    return Error(code, path("node.json") + ": " + error.context());
  };
  const auto json = node::parse_object(*text);
  if (!json.ok()) return wrong(json.error());
  auto config = config_of(*json);
  if (!config.ok()) return wrong(config.error());
  return std::optional(config.take());
}

Status NodeFiles::save(const NodeConfig& config) {
  return write("node.json", json_of(config).dump(2) + "\n");
}

Result<rpc::Credentials> NodeFiles::credentials() {
  return rpc::Credentials{.ca = TRY(read("tls/ca.crt")),
                          .certificate = TRY(read("tls/node.crt")),
                          .key = TRY(read("tls/node.key"))};
}

Status NodeFiles::save(const rpc::Credentials& credentials) {
  TRY(write("tls/ca.crt", credentials.ca));
  TRY(write("tls/node.crt", credentials.certificate));
  return write("tls/node.key", credentials.key);
}

Result<NodeSecrets> NodeFiles::secrets() {
  NodeSecrets secrets{.token_key = TRY(read("secret/token.key"))};
  auto key = read("secret/ca.key");
  if (!key.ok() && key.code() == Code::kNotFound) return secrets;
  secrets.authority = {.certificate = TRY(read("tls/ca.crt")), .key = TRY(std::move(key))};
  return secrets;
}

Status NodeFiles::save(const NodeSecrets& secrets) {
  TRY(write("secret/token.key", secrets.token_key));
  if (secrets.authority.key.empty()) return {};
  TRY(write("tls/ca.crt", secrets.authority.certificate));
  return write("secret/ca.key", secrets.authority.key);
}

Status NodeFiles::cut(const std::string& name, uint64_t bytes_max) {
  if (TRY(files_.kind(path(name))) == os::PathKind::kMissing) return {};
  const auto file = TRY(files_.open(path(name), os::OpenMode::kReadWrite));
  if (TRY(file->size()) <= bytes_max) return {};
  const std::string older = path(name) + ".1";
  const auto copy = TRY(files_.open(older, os::OpenMode::kCreate));
  if (::chmod(older.c_str(), 0600) != 0) {
    return error_from_errno(errno, "set the mode of " + older);
  }
  TRY(copy->truncate(0));
  std::string part(kCopyBytes, '\0');
  for (uint64_t at = 0;;) {
    const size_t bytes = TRY(file->read_at(at, as_writable_bytes(part)));
    if (bytes == 0) return file->truncate(0);
    TRY(copy->write_at(at, as_bytes(part).first(bytes)));
    at += bytes;
  }
}

Status NodeFiles::wipe(const std::string& name) { return wipe_path(files_, path(name)); }

}  // namespace nacre::cluster
