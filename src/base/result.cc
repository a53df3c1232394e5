#include "base/result.h"

namespace nacre {

std::string_view name_of(Code code) {
  switch (code) {
    case Code::kNotFound:
      return "not found";
    case Code::kExists:
      return "already exists";
    case Code::kInvalid:
      return "invalid argument";
    case Code::kCorrupt:
      return "corrupt";
    case Code::kIo:
      return "input/output error";
    case Code::kNoSpace:
      return "no space";
    case Code::kBusy:
      return "busy";
    case Code::kNotEmpty:
      return "directory not empty";
    case Code::kNotDirectory:
      return "not a directory";
    case Code::kIsDirectory:
      return "is a directory";
    case Code::kNotPermitted:
      return "not permitted";
    case Code::kAccess:
      return "access denied";
    case Code::kNameTooLong:
      return "name too long";
    case Code::kTooBig:
      return "too big";
    case Code::kOutOfRange:
      return "out of range";
    case Code::kNoData:
      return "no data";
    case Code::kReadOnly:
      return "read-only";
    case Code::kUnsupported:
      return "unsupported";
    case Code::kTooManyLinks:
      return "too many links";
    case Code::kLoop:
      return "would make a loop";
    case Code::kCrossDevice:
      return "across volumes";
    case Code::kNewerFormat:
      return "newer format";
    case Code::kBelowFloor:
      return "no longer in history";
    case Code::kUnavailable:
      return "unavailable";
    case Code::kTimeout:
      return "timed out";
    case Code::kOverloaded:
      return "overloaded";
    case Code::kCancelled:
      return "cancelled";
  }
  return "unknown";
}

std::string Error::to_string() const {
  if (context_.empty()) return std::string(name_of(code_));
  return context_ + " (" + std::string(name_of(code_)) + ")";
}

}  // namespace nacre
