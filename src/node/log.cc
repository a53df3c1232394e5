#include "node/log.h"

#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "base/units.h"

namespace nacre::node {
namespace {

constexpr uint64_t kFileBytesMin = 64 * kKiB;
constexpr uint64_t kFileBytesMax = 1 * kTiB;
constexpr uint64_t kFilesMax = 1000;
constexpr std::array<std::string_view, 6> kLevels = {"trace", "debug", "info",
                                                     "warn",  "error", "off"};

constexpr const char* kPattern = "%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %v";

std::string level_of(const std::string& usual) {
  const char* wanted = std::getenv("NACRE_LOG");
  return wanted != nullptr && is_log_level(wanted) ? wanted : usual;
}

void use(spdlog::sink_ptr sink, const char* pattern, const std::string& usual) {
  auto logger = std::make_shared<spdlog::logger>("nacre", std::move(sink));
  logger->set_level(spdlog::level::from_str(level_of(usual)));
  logger->flush_on(spdlog::level::trace);
  logger->set_pattern(pattern);
  spdlog::set_default_logger(std::move(logger));
}

// Of a time when more were kept.
void remove_older(const std::string& path, uint64_t files) {
  for (uint64_t number = files; number <= kFilesMax; ++number) {
    ::unlink(spdlog::sinks::rotating_file_sink_mt::calc_filename(path, number).c_str());
  }
}

}  // namespace

bool is_log_level(const std::string& word) {
  return std::ranges::find(kLevels, word) != kLevels.end();
}

std::string fault_of(const LogOptions& options) {
  if (!is_log_level(options.level)) {
    return "the level of the log is one of trace, debug, info, warn, error and off";
  }
  if (options.file_bytes < kFileBytesMin || options.file_bytes > kFileBytesMax) {
    return "a file of the log has from 64 KiB to 1 TiB";
  }
  if (options.files == 0 || options.files > kFilesMax) {
    return "of the log, from 1 to 1000 files are kept";
  }
  return {};
}

void log_to_stderr(const std::string& level) {
  use(std::make_shared<spdlog::sinks::stderr_color_sink_mt>(), kPattern, level);
}

void log_for_command() {
  use(std::make_shared<spdlog::sinks::stderr_color_sink_mt>(), "nacre: %v", "warn");
}

Status log_to_file(const std::string& path, const LogOptions& options) {
  remove_older(path, options.files);
  try {
    use(std::make_shared<spdlog::sinks::rotating_file_sink_mt>(path, options.file_bytes,
                                                               options.files - 1),
        kPattern, options.level);
  } catch (const spdlog::spdlog_ex& failure) {
    return Error(Code::kIo, failure.what());
  }
  return {};
}

}  // namespace nacre::node
