// How a store presents itself to the contract suite.
#pragma once

#include <functional>
#include <memory>
#include <ostream>
#include <string>

#include "block/store.h"

namespace nacre::block {

// A store with room for at least 16 MiB, and what it stands on.
class StoreUnderTest {
 public:
  virtual ~StoreUnderTest() = default;
  virtual Store& store() = 0;
};

struct StoreMaker {
  std::string name;
  std::function<std::unique_ptr<StoreUnderTest>()> make;
  friend void PrintTo(const StoreMaker& maker, std::ostream* out) { *out << maker.name; }
};

}  // namespace nacre::block
