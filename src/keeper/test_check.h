// Checks of a test volume and what they found: for tests.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "keeper/check.h"
#include "keeper/test_volume.h"

namespace nacre::keeper {

struct Checked {
  CheckSummary summary;
  std::vector<Finding> findings;

  size_t count(FindingKind kind) const {
    return static_cast<size_t>(std::count_if(findings.begin(), findings.end(),
                                             [&](const Finding& f) { return f.kind == kind; }));
  }
  bool only(FindingKind kind) const { return !findings.empty() && count(kind) == findings.size(); }
  std::string text() const {
    std::string all;
    for (const Finding& finding : findings) {
      all += std::string(name_of(finding.kind)) + ": " + finding.where + ": " + finding.what +
             (finding.repaired     ? " [repaired]\n"
              : finding.repairable ? " [repairable]\n"
                                   : "\n");
    }
    return all;
  }
};

inline Checked check(TestVolume& test, const CheckOptions& options = {}) {
  Checked checked;
  checked.summary = must(keeper::check(*test.volume, options, {}, [&](const Finding& finding) {
    checked.findings.push_back(finding);
  }));
  return checked;
}
inline Checked check_deep(TestVolume& test) {
  CheckOptions options;
  options.deep = true;
  return check(test, options);
}
inline Checked repair(TestVolume& test) {
  CheckOptions options;
  options.repair = true;
  return check(test, options);
}

inline void expect_clean(TestVolume& test) {
  const Checked checked = check_deep(test);
  EXPECT_TRUE(checked.summary.clean()) << checked.text();
}

// The damage is found as this kind and nothing else, all of it can be mended, and then all is well:
// now and after a reopen.
inline void expect_mended(TestVolume& test, FindingKind kind) {
  const Checked before = check(test);
  EXPECT_TRUE(before.only(kind)) << before.text();
  for (const Finding& finding : before.findings) {
    EXPECT_TRUE(finding.repairable) << before.text();
    EXPECT_FALSE(finding.repaired);
  }
  const Checked repaired = repair(test);
  EXPECT_EQ(repaired.summary.repaired, repaired.findings.size()) << repaired.text();
  expect_clean(test);
  test.reopen();
  test.commit();
  expect_clean(test);
}

// The damage is found as this kind and cannot be mended.
inline void expect_found(TestVolume& test, FindingKind kind) {
  const Checked checked = check(test);
  EXPECT_GT(checked.count(kind), 0u) << checked.text();
  for (const Finding& finding : checked.findings) {
    EXPECT_FALSE(finding.kind == kind && finding.repairable) << checked.text();
  }
}

}  // namespace nacre::keeper
