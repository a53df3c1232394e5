// What the program's exit codes mean: part of the promise to scripts, documented in nacre(1).
#pragma once

#include "base/result.h"

namespace nacre::cli {

enum ExitCode {
  kSuccess = 0,
  kFailure = 1,   // anything else
  kUsage = 2,     // the command line is wrong
  kMissing = 3,   // no such volume, file, version, snapshot or moment
  kDamaged = 4,   // check found damage, or stored bytes are corrupt
  kBusy = 5,      // in use by another process or mount
  kFull = 6,      // no space
  kRefused = 7,   // not allowed: permissions, or open read-only
  kNewer = 8,     // written by a later version of Nacre
  kInTheWay = 9,  // something is there already
  kAway = 10,     // a node, cluster or bucket cannot be reached, or does not answer in time
};

constexpr ExitCode exit_code_of(Code code) {
  switch (code) {
    case Code::kInvalid:
      return kUsage;
    case Code::kNotFound:
    case Code::kBelowFloor:
      return kMissing;
    case Code::kCorrupt:
      return kDamaged;
    case Code::kBusy:
    case Code::kOverloaded:
      return kBusy;
    case Code::kNoSpace:
      return kFull;
    case Code::kAccess:
    case Code::kNotPermitted:
    case Code::kReadOnly:
      return kRefused;
    case Code::kNewerFormat:
      return kNewer;
    case Code::kExists:
    case Code::kNotEmpty:
      return kInTheWay;
    case Code::kUnavailable:
    case Code::kTimeout:
      return kAway;
    default:
      return kFailure;
  }
}

}  // namespace nacre::cli
