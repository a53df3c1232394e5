// Runs something in a process of its own, so that a crash of it is a failure like any other.
#pragma once

#include <functional>
#include <string>

namespace nacre::model {

// What `body` returned; or how its process ended, if not by returning.
std::string run_isolated(const std::function<std::string()>& body);

}  // namespace nacre::model
