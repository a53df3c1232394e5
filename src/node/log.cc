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

void use(std::shared_ptr<spdlog::logger> logger) {
  const char* wanted = std::getenv("NACRE_LOG");
  logger->set_level(wanted == nullptr ? spdlog::level::info : spdlog::level::from_str(wanted));
  logger->flush_on(spdlog::level::info);
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %v");
  spdlog::set_default_logger(std::move(logger));
}

}  // namespace

void log_to_stderr() {
  use(std::make_shared<spdlog::logger>("nacre",
                                       std::make_shared<spdlog::sinks::stderr_color_sink_mt>()));
}

Status log_to_file(const std::string& path) {
  try {
    use(std::make_shared<spdlog::logger>(
        "nacre",
        std::make_shared<spdlog::sinks::rotating_file_sink_mt>(path, kFileBytes, kOlderFiles)));
  } catch (const spdlog::spdlog_ex& failure) {
    return Error(Code::kIo, failure.what());
  }
  return {};
}

}  // namespace nacre::node
