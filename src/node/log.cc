#include "node/log.h"

#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdlib>
#include <memory>

#include "base/units.h"

namespace nacre::node {
namespace {

constexpr size_t kFileBytes = 4 * kMiB;
constexpr size_t kOlderFiles = 4;

constexpr const char* kPattern = "%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %v";

void use(spdlog::sink_ptr sink, const char* pattern, spdlog::level::level_enum usual) {
  auto logger = std::make_shared<spdlog::logger>("nacre", std::move(sink));
  const char* wanted = std::getenv("NACRE_LOG");
  logger->set_level(wanted == nullptr ? usual : spdlog::level::from_str(wanted));
  logger->flush_on(spdlog::level::info);
  logger->set_pattern(pattern);
  spdlog::set_default_logger(std::move(logger));
}

}  // namespace

void log_to_stderr() {
  use(std::make_shared<spdlog::sinks::stderr_color_sink_mt>(), kPattern, spdlog::level::info);
}

void log_for_command() {
  use(std::make_shared<spdlog::sinks::stderr_color_sink_mt>(), "nacre: %v", spdlog::level::warn);
}

Status log_to_file(const std::string& path) {
  try {
    use(std::make_shared<spdlog::sinks::rotating_file_sink_mt>(path, kFileBytes, kOlderFiles),
        kPattern, spdlog::level::info);
  } catch (const spdlog::spdlog_ex& failure) {
    return Error(Code::kIo, failure.what());
  }
  return {};
}

}  // namespace nacre::node
