// What a script is run against: a file tree behind some interface. Answers and dumps are in the
// oracle's words (model.h, state.h), so that they can be compared as text.
#pragma once

#include <string>
#include <vector>

#include "model/model.h"
#include "model/operation.h"
#include "model/state.h"

namespace nacre::model {

class Runner {
 public:
  virtual ~Runner() = default;
  // Performs an operation that Model::run() knows, other than kScanOn.
  virtual std::string run(const Operation& operation) = 0;
  // Reads on in a scan: `count` names, or all that are left (0). `at_end` says that there are no
  // more.
  virtual Result<std::vector<std::string>> scan_on(size_t slot, size_t count, bool& at_end) = 0;
  // The tree, and what the slots hold as "@N". Leaves no trace in it.
  virtual Dump dump(const Aspects& aspects) = 0;
};

// The same of the oracle.
Dump dump_of(const Model& model, const Aspects& aspects);

}  // namespace nacre::model
