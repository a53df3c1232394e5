#include "kv/rocks_messages.h"

#include <cstdarg>
#include <cstdio>

#include "base/units.h"
#include "os/mutex.h"

namespace nacre::kv {
namespace {

constexpr uint64_t kMaxFileBytes = kMiB;
constexpr size_t kMaxMessageBytes = 2 * kKiB;

class SilentLog final : public rocksdb::Logger {
 public:
  SilentLog() : Logger(rocksdb::InfoLogLevel::FATAL_LEVEL) {}
  using Logger::Logv;
  void Logv(const char*, va_list) override {}
  void LogHeader(const char*, va_list) override {}
};

class MessageLog final : public rocksdb::Logger {
 public:
  MessageLog(std::unique_ptr<os::File> file, uint64_t end)
      : Logger(rocksdb::InfoLogLevel::WARN_LEVEL), file_(std::move(file)), end_(end) {}

  using Logger::Logv;
  void Logv(const char* format, va_list arguments) override {
    std::string text(kMaxMessageBytes, '\0');
    const int length = std::vsnprintf(text.data(), text.size(), format, arguments);
    if (length <= 0) return;
    text.resize(std::min(static_cast<size_t>(length), text.size() - 1));
    if (text.back() != '\n') text += '\n';

    // Held while writing: messages are few, and must not run into each other.
    const os::Lock lock(mutex_);
    if (end_ + text.size() > kMaxFileBytes && file_->truncate(0).ok()) end_ = 0;
    if (file_->write_at(end_, as_bytes(text)).ok()) end_ += text.size();
  }
  // The options in force: they are in the code.
  void LogHeader(const char*, va_list) override {}

 private:
  const std::unique_ptr<os::File> file_;
  os::Mutex mutex_;  // guards the end of the file
  uint64_t end_ GUARDED_BY(mutex_);
};

}  // namespace

std::shared_ptr<rocksdb::Logger> make_message_log(os::FileSystem& disk, const std::string& path) {
  Result<std::unique_ptr<os::File>> file = disk.open(path, os::OpenMode::kCreate);
  if (!file.ok()) return make_silent_log();
  const Result<uint64_t> size = (*file)->size();
  return std::make_shared<MessageLog>(file.take(), size.ok() ? *size : 0);
}

std::shared_ptr<rocksdb::Logger> make_silent_log() { return std::make_shared<SilentLog>(); }

}  // namespace nacre::kv
