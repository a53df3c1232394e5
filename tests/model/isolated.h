// Runs something in processes of their own, so that a crash of it is a failure like any other, and
// so that it uses all processors. The caller has no threads.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace nacre::model {

// What `body` returned; or how its process ended, if not by returning.
std::string run_isolated(const std::function<std::string()>& body);

// Runs `body` for each of `count` numbers from `first` on, over as many processes as there are
// processors. Returns a number for which it returned false, or its process died.
std::optional<uint64_t> find_failure(uint64_t first, uint64_t count,
                                     const std::function<bool(uint64_t)>& body);

}  // namespace nacre::model
