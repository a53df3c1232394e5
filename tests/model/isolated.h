// Runs something in processes of their own, so that a crash of it is a failure like any other, and
// so that it uses all processors. The caller has no threads.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace nacre::model {

// What `body` returned; or how its process ended, if not by returning.
std::string run_isolated(const std::function<std::string()>& body);

// Runs `body` for each of `count` numbers from `first` on, in `per_processor` processes for each
// processor: more than one where the bodies wait a lot. After each tenth it prints how many of
// `what` are done. `body` returns what went wrong, or nothing; the first thing that does is printed
// too. Returns a number for which something did, or its process died.
std::optional<uint64_t> find_failure(std::string_view what, uint64_t first, uint64_t count,
                                     unsigned per_processor,
                                     const std::function<std::string(uint64_t)>& body);

}  // namespace nacre::model
