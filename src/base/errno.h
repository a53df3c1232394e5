// Between our error codes and POSIX errno values: the only place that maps them.
#pragma once

#include <string>

#include "base/result.h"

namespace nacre {

// The positive errno a POSIX caller should see.
int errno_of(Code code);

// The error for a failed system call: `what` names the call and its object. The text of
// `error_number` is appended to the context.
Error error_from_errno(int error_number, const std::string& what);

}  // namespace nacre
