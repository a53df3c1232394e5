#include "base/errno.h"

#include <cerrno>
#include <cstring>

namespace nacre {

int errno_of(Code code) {
  switch (code) {
    case Code::kNotFound:
      return ENOENT;
    case Code::kExists:
      return EEXIST;
    case Code::kInvalid:
      return EINVAL;
    case Code::kCorrupt:
      return EIO;
    case Code::kIo:
      return EIO;
    case Code::kNoSpace:
      return ENOSPC;
    case Code::kBusy:
      return EBUSY;
    case Code::kNotEmpty:
      return ENOTEMPTY;
    case Code::kNotDirectory:
      return ENOTDIR;
    case Code::kIsDirectory:
      return EISDIR;
    case Code::kNotPermitted:
      return EPERM;
    case Code::kAccess:
      return EACCES;
    case Code::kNameTooLong:
      return ENAMETOOLONG;
    case Code::kTooBig:
      return EFBIG;
    case Code::kOutOfRange:
      return ERANGE;
    case Code::kNoData:
      return ENODATA;
    case Code::kReadOnly:
      return EROFS;
    case Code::kUnsupported:
      return EOPNOTSUPP;
    case Code::kTooManyLinks:
      return EMLINK;
    case Code::kLoop:
      return EINVAL;
    case Code::kCrossDevice:
      return EXDEV;
    case Code::kNewerFormat:
      return EPROTO;
    case Code::kBelowFloor:
      return ENOENT;
    case Code::kUnavailable:
      return ENETUNREACH;
    case Code::kTimeout:
      return ETIMEDOUT;
    case Code::kOverloaded:
      return EAGAIN;
    case Code::kCancelled:
      return ECANCELED;
  }
  return EIO;
}

Error error_from_errno(int error_number, const std::string& what) {
  Code code = Code::kIo;
  switch (error_number) {
    case ENOENT:
      code = Code::kNotFound;
      break;
    case EEXIST:
      code = Code::kExists;
      break;
    case EINVAL:
      code = Code::kInvalid;
      break;
    case ENOSPC:
    case EDQUOT:
      code = Code::kNoSpace;
      break;
    case EBUSY:
    case EAGAIN:
      code = Code::kBusy;
      break;
    case ENOTEMPTY:
      code = Code::kNotEmpty;
      break;
    case ENOTDIR:
      code = Code::kNotDirectory;
      break;
    case EISDIR:
      code = Code::kIsDirectory;
      break;
    case EPERM:
      code = Code::kNotPermitted;
      break;
    case EACCES:
      code = Code::kAccess;
      break;
    case ENAMETOOLONG:
      code = Code::kNameTooLong;
      break;
    case EFBIG:
      code = Code::kTooBig;
      break;
    case EROFS:
      code = Code::kReadOnly;
      break;
    case EOPNOTSUPP:
      code = Code::kUnsupported;
      break;
    case ECONNREFUSED:
    case ECONNRESET:
    case ECONNABORTED:
    case EPIPE:
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EHOSTDOWN:
      code = Code::kUnavailable;
      break;
    case ETIMEDOUT:
      code = Code::kTimeout;
      break;
    case ECANCELED:
      code = Code::kCancelled;
      break;
    default:
      break;
  }
  return Error(code, what + ": " + std::strerror(error_number));
}

}  // namespace nacre
