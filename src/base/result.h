// Errors as values. A fallible function returns Result<T>: either a T or an Error that says what
// happened, where, and what to do about it. Nothing here throws; all types are movable values
// without shared state, safe to pass between threads.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace nacre {

// Each code exists because some caller acts on it. errno_of() in base/errno.h gives the POSIX
// value.
enum class Code {
  kNotFound,      // no such file, row, block or version
  kExists,        // it is already there
  kInvalid,       // an argument the caller can correct
  kCorrupt,       // stored bytes fail their checksum or do not decode
  kIo,            // the machine refused to read or write
  kNoSpace,       // no room on the device or within the capacity
  kBusy,          // somebody else holds it; try later
  kNotEmpty,      // a directory with entries
  kNotDirectory,  // a path component is no directory
  kIsDirectory,   // a directory where a file is needed
  kNotPermitted,  // the operation is forbidden whoever asks
  kAccess,        // this caller may not
  kNameTooLong,   // name, symlink target or attribute name over the limit
  kTooBig,        // over a size limit: file offset, attribute value
  kOutOfRange,    // offset past the end, buffer too small for the value
  kNoData,        // the attribute, or data after the offset, does not exist
  kReadOnly,      // an old view or a volume opened read-only
  kUnsupported,   // not offered by this volume or this kernel
  kTooManyLinks,  // link count limit
  kLoop,          // a rename that would put a directory below itself
  kCrossDevice,   // between two volumes or views
  kNewerFormat,   // written by a later version of Nacre
  kBelowFloor,    // that moment is no longer in history
  kUnavailable,   // nobody who could answer can be reached; nothing was done; try later
  kTimeout,       // no answer within the deadline; it may or may not have been done
  kOverloaded,    // refused for load before anything was done; try later
  kCancelled,     // whoever asked no longer wants it
};

std::string_view name_of(Code code);

class [[nodiscard]] Error {
 public:
  Error(Code code, std::string context) : code_(code), context_(std::move(context)) {}
  explicit Error(Code code) : code_(code) {}

  Code code() const { return code_; }
  // Which file, device or argument, and what the user can do. May be empty on hot paths where
  // the code alone reaches the caller as an errno.
  const std::string& context() const { return context_; }
  // "<context> (<code name>)", or the code name alone.
  std::string to_string() const;

 private:
  Code code_;
  std::string context_;
};

template <class T>
class [[nodiscard]] Result {
 public:
  using Value = T;
  Result(T value) : state_(std::move(value)) {}                       // implicit by intent
  Result(Error error) : state_(std::unexpected(std::move(error))) {}  // implicit by intent
  Result(Code code) : state_(std::unexpected(Error(code))) {}         // implicit by intent

  bool ok() const { return state_.has_value(); }
  explicit operator bool() const { return ok(); }
  // The code of a failure; must not be called on success.
  Code code() const { return state_.error().code(); }
  const Error& error() const& { return state_.error(); }
  Error error() && { return std::move(state_.error()); }
  T& operator*() & { return *state_; }
  const T& operator*() const& { return *state_; }
  T* operator->() { return &*state_; }
  const T* operator->() const { return &*state_; }
  T take() { return std::move(*state_); }

 private:
  std::expected<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  using Value = void;
  Result() = default;
  Result(Error error) : state_(std::unexpected(std::move(error))) {}  // implicit by intent
  Result(Code code) : state_(std::unexpected(Error(code))) {}         // implicit by intent

  bool ok() const { return state_.has_value(); }
  explicit operator bool() const { return ok(); }
  Code code() const { return state_.error().code(); }
  const Error& error() const& { return state_.error(); }
  Error error() && { return std::move(state_.error()); }
  void take() {}

 private:
  std::expected<void, Error> state_;
};

using Status = Result<void>;

}  // namespace nacre

#define NACRE_TRY_JOIN2(a, b) a##b
#define NACRE_TRY_JOIN(a, b) NACRE_TRY_JOIN2(a, b)
#define NACRE_TRY_AS(name, expr)                    \
  __extension__({                                   \
    auto name = (expr);                             \
    if (!name.ok()) return std::move(name).error(); \
    name.take();                                    \
  })
// The value of a Result, or return its error from the enclosing function.
#define TRY(expr) NACRE_TRY_AS(NACRE_TRY_JOIN(nacre_try_, __COUNTER__), expr)
