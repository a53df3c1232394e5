#include "cli/passphrase.h"

#include <fmt/format.h>
#include <termios.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

#include "codec/key_wrap.h"
#include "os/file_system.h"

namespace nacre::cli {
namespace {

constexpr const char* kVariable = "NACRE_PASSPHRASE";
constexpr size_t kMaxPassphraseBytes = 1024;

// Shows nothing of what is typed as long as it lives.
class Hidden {
 public:
  explicit Hidden(int terminal) : terminal_(terminal) {
    ::tcgetattr(terminal_, &before_);
    struct termios hidden = before_;
    hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(terminal_, TCSAFLUSH, &hidden);
  }
  ~Hidden() { ::tcsetattr(terminal_, TCSAFLUSH, &before_); }
  Hidden(const Hidden&) = delete;
  Hidden& operator=(const Hidden&) = delete;

 private:
  const int terminal_;
  struct termios before_ = {};
};

using Terminal = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

Result<std::string> ask_terminal(std::FILE* terminal, const char* prompt) {
  std::fputs(prompt, terminal);
  std::fflush(terminal);
  std::string typed;
  {
    const Hidden hidden(::fileno(terminal));
    for (int letter = 0; (letter = std::fgetc(terminal)) != '\n' && letter != EOF;) {
      typed += static_cast<char>(letter);
      if (typed.size() > kMaxPassphraseBytes) return Error(Code::kInvalid, "that is too long");
    }
  }
  std::fputs("\n", terminal);
  if (typed.empty()) return Error(Code::kInvalid, "a passphrase has at least one letter");
  return typed;
}

Result<std::string> read_passphrase(Ask ask) {
  if (const char* const given = std::getenv(kVariable); given != nullptr && *given != '\0') {
    return std::string(given);
  }
  const Terminal terminal(std::fopen("/dev/tty", "r+e"), std::fclose);
  if (terminal == nullptr) {
    return Error(Code::kInvalid, fmt::format("there is no terminal to ask for the passphrase: set "
                                             "{}, or take --key-file",
                                             kVariable));
  }
  std::string typed = TRY(ask_terminal(terminal.get(), "passphrase: "));
  if (ask == Ask::kTwice && TRY(ask_terminal(terminal.get(), "once more: ")) != typed) {
    return Error(Code::kInvalid, "the two passphrases differ");
  }
  return typed;
}

Result<std::string> read_key_file(const std::string& path) {
  const auto file = TRY(os::real_file_system().open(path, os::OpenMode::kRead));
  std::string bytes(codec::kMaxKeyFileBytes + 1, '\0');
  bytes.resize(TRY(file->read_at(0, as_writable_bytes(bytes))));
  if (bytes.size() >= codec::kMinKeyFileBytes && bytes.size() <= codec::kMaxKeyFileBytes) {
    return bytes;
  }
  return Error(Code::kInvalid, fmt::format("key file {}: it has {} to {} bytes that nobody can "
                                           "guess: head -c 32 /dev/urandom > FILE",
                                           path, codec::kMinKeyFileBytes, codec::kMaxKeyFileBytes));
}

}  // namespace

Result<node::BucketSecret> read_secret(bool passphrase, const std::string& key_file, Ask ask) {
  if (passphrase && !key_file.empty()) {
    return Error(Code::kInvalid,
                 "a bucket is sealed by a passphrase or by a key file, not by both");
  }
  node::BucketSecret secret;
  if (passphrase) secret.passphrase = TRY(read_passphrase(ask));
  if (!key_file.empty()) secret.key_file = TRY(read_key_file(key_file));
  return secret;
}

}  // namespace nacre::cli
